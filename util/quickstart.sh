#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh clone to results: install what is missing, build, simulate.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
out=${1:-m5out}
program=/usr/bin/sha256sum
input=/usr/bin/python3

say() {
    printf '\n==> %s\n' "$*"
}

say "Debian packages that the build needs"
util/install-deps.sh --build

say "Building build/opt/gearshift"
scons -Q -j"$(nproc)"

say "Simulating two traffic generators, a crossbar and a memory"
build/opt/gearshift --outdir="$out/traffic" configs/example/traffic.py

say "Running $(basename "$program") on a simulated CPU, and on this one"
"$program" "$input" >"$out/native.txt"
build/opt/gearshift se --outdir="$out/se" "$program" "$input" >"$out/se.txt"
if ! cmp "$out/native.txt" "$out/se.txt"; then
    echo "quickstart.sh: the simulated program printed something else"
    exit 1
fi
awk '
    $1 == "simInsts" { insts = $2 }
    $1 == "hostSeconds" { seconds = $2 }
    END {
        if (!insts || !seconds)
            exit 1
        printf "same output; %d instructions in %.2f s: %.0f MIPS\n",
            insts, seconds, insts / seconds / 1e6
    }' "$out/se/stats.txt"

say "Changing gear: fast to the kernel of a program, a close look, fast on"
util/fast_forward.sh "$out/gears"

say "Done"
cat <<END
program       $out/se/stats.txt  $out/se/stats.json
gears         $out/gears/stats.txt  $out/gears/stats.json
traffic       $out/traffic/stats.txt  $out/traffic/stats.json
machines      $out/{se,gears,traffic}/config.svg  (and config.ini)

Again, by hand:   util/fast_forward.sh
                  build/opt/gearshift se $program $input
                  build/opt/gearshift configs/example/traffic.py
All options:      build/opt/gearshift --help
All tests:        util/test.sh
END
