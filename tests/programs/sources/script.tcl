proc fib {n} { expr {$n < 2 ? $n : [fib [expr {$n-1}]] + [fib [expr {$n-2}]]} }
puts [fib 15]
puts [lsort -integer {3 1 2}] ; puts [expr {2**100}]
puts [string map {a 1 b 2} abcab] ; puts [regexp -inline {(\d+)} abc123]
set f [open out.txt w] ; puts $f [clock format 0 -gmt 1] ; close $f
