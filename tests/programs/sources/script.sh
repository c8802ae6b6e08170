#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Arrays, functions, substitution, here documents, arithmetic.
declare -A count
for word in one two three two one one; do
    ((count[$word]++))
done
for word in one two three; do
    printf '%-6s %d\n' "$word" "${count[$word]}"
done
fib() { (($1 < 2)) && echo "$1" || echo $(($(fib $(($1 - 1))) + $(fib $(($1 - 2))))); }
fib 6
cat <<EOF | tr a-z A-Z
$(echo from a here document)
EOF
[[ abc123 =~ ([a-z]+)([0-9]+) ]] && echo "${BASH_REMATCH[2]}${BASH_REMATCH[1]}"
echo to stderr >&2
mapfile -t lines < <(seq 5)
echo "${lines[@]:1:3}"
exit 5
