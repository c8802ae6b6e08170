define(`loop', `ifelse($1, 0, , `$1 loop(decr($1))')')dnl
loop(20)
translit(`hello', `a-z', `A-Z') eval(2 ** 20) len(`four') index(`abc', `c')
