local function sieve(n)
    local is, out = {}, {}
    for i = 2, n do
        if not is[i] then
            out[#out + 1] = i
            for j = i * i, n, i do is[j] = true end
        end
    end
    return out
end
local p = sieve(2000)
print(#p, p[#p], string.format("%.10f", math.sin(1)), 7 // 2, 2 ^ 53)
print(("hello world"):gsub("o", "0"), table.concat(p, " ", 1, 5))
print(pcall(error, { code = 2 }) and 1 or 0, select("#", 1, 2, 3))
local f = assert(io.open("out.txt", "w"))
f:write(string.rep("x", 1000)):close()
os.exit(3)
