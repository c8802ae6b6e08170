#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Install what is missing, build, and run every test and check.
#
#   util/test.sh             everything
#   util/test.sh SUITE...    some suites; tests/run_all.py --help names them
#
# The last line is "N passed, N failed, N skipped".
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."

if ! util/install-deps.sh; then
    echo "failed: util/install-deps.sh (see above)"
    echo "0 passed, 1 failed, 0 skipped"
    exit 1
fi
if [ -z "${CC-}${CXX-}" ] && command -v ccache >/dev/null; then
    export CC='ccache gcc' CXX='ccache g++'
fi
if [ $# -eq 0 ]; then
    set -- build unit unit:asan threads pytest regress diff programs kvm fuzz \
        check
    # A program that cannot be had is skipped, with the reason.
    util/install-deps.sh --programs ||
        echo "not all programs of tests/programs could be installed"
fi
exec /usr/bin/python3 tests/run_all.py "$@"
