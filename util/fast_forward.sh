#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Fast-forward a real program to its kernel, measure there, hurry to the end.
#
#   util/fast_forward.sh [OUTDIR [INPUT]]
#
# xz compresses INPUT: at the speed of the host until it is in the middle of its
# work, then 50 million instructions on a simulated CPU, then fast to the end.
# Without KVM all of it is simulated.  From the environment: KVM_DEVICE is asked
# instead of /dev/kvm, GEARSHIFT runs instead of build/opt/gearshift.
set -eu
root=$(dirname "$(readlink -f "$0")")/..
gearshift=${GEARSHIFT:-$(readlink -f "$root/build/opt/gearshift")}
out=${1:-m5out}
input=$(readlink -f "${2:-/usr/bin/python3}")
program=(/usr/bin/xz -T1 -1 -c "$input")
place=liblzma:lzma_code*100

fast=kvm
measured=system.atomic_cpu
device=${KVM_DEVICE:-/dev/kvm}
if ! why=$("$gearshift" kvm-info --device="$device" 2>&1 >/dev/null); then
    echo "$why"
    echo "Without KVM all of it runs on the simulated CPU, only slower."
    fast=atomic
    measured=system.cpu
fi
plan="$fast until $place; atomic 50M insts; $fast"

mkdir -p "$out"
echo "gearshift se --gears '$plan' ${program[*]}"
"${program[@]}" >"$out/native.xz"
status=0
"$gearshift" se --outdir="$out" --gears "$plan" "${program[@]}" \
    >"$out/simulated.xz" || status=$?
if [ $status -ne 0 ] || ! cmp "$out/native.xz" "$out/simulated.xz"; then
    echo "fast_forward.sh: the output is not that of a native run" \
        "(exit status $status)"
    exit 1
fi
awk -v cpu="$measured" '
    $1 == cpu ".commitStats0.numInsts" { insts = $2 }
    END {
        if (insts < 50000000)
            exit 1
        printf "%s counted %d instructions\n", cpu, insts
    }' "$out/stats.txt" || {
    echo "fast_forward.sh: the simulated CPU did not count 50 million"
    exit 1
}
echo "same output as native: $(stat -c %s "$out/native.xz") bytes;" \
    "statistics in $out/stats.txt"
