{ for (i = 1; i <= NF; i++) count[$i]++; sum += $NF }
END {
    for (w in count) lines[++n] = sprintf("%s %d", w, count[w])
    for (i = 1; i <= n; i++)
        for (j = i + 1; j <= n; j++)
            if (lines[j] < lines[i]) {
                t = lines[i]; lines[i] = lines[j]; lines[j] = t
            }
    for (i = 1; i <= 20; i++) print lines[i]
    printf "%d %.6f %s\n", sum, sin(sum) + exp(1), substr("abcdef", 2, 3)
}
