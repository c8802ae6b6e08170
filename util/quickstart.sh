#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# From a fresh clone to results: install what is missing, build, simulate.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
out=${1:-m5out}

say() {
    printf '\n==> %s\n' "$*"
}

say "Debian packages that the build needs"
util/install-deps.sh --build

say "Building build/opt/gearshift"
scons -Q -j"$(nproc)"

say "Simulating two traffic generators, a crossbar and a memory"
build/opt/gearshift --outdir="$out" configs/example/traffic.py

say "Done"
cat <<END
statistics    $out/stats.txt  $out/stats.json
the machine   $out/config.svg  (parameters: $out/config.ini)

Again, by hand:   build/opt/gearshift configs/example/traffic.py
All options:      build/opt/gearshift --help
All tests:        util/test.sh
END
