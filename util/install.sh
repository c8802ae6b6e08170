#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Copy a built variant to PREFIX: install.sh build/opt /usr/local
#
#   PREFIX/bin/gearshift              the command
#   PREFIX/lib/gearshift/python/      the package and its m5 names
#   PREFIX/lib/gearshift/configs/     scripts and their library
#   PREFIX/lib/gearshift/LICENSE      and README.md, which -C and -R print
#   PREFIX/lib/pythonX.Y/dist-packages/gearshift.pth
#                                     `import gearshift` in any script, where
#                                     Debian's Python looks (/usr/local does)
# Everything is relative: the result can be moved.  DESTDIR is honoured.
set -eu
build=$1
prefix=${DESTDIR:-}$2
lib=$prefix/lib/gearshift
dist=$prefix/lib/python$(/usr/bin/python3 -c \
    'import sys; print("%d.%d" % sys.version_info[:2])')/dist-packages

mkdir -p "$prefix/bin" "$dist"
rm -rf "$lib"
mkdir -p "$lib"
cp -rL "$build/python" "$lib/python"
if [ -d "$build/configs" ]; then
    cp -rL "$build/configs" "$lib/configs"
fi
cp "$(dirname "$0")/../LICENSE" "$(dirname "$0")/../README.md" "$lib/"
find "$lib" -name __pycache__ -prune -exec rm -rf {} +
install -m 755 "$build/gearshift" "$prefix/bin/gearshift"
echo ../../gearshift/python >"$dist/gearshift.pth"
# Type checkers and editors look for stubs beside the modules.
"$prefix/bin/gearshift" doc --stubs >/dev/null
echo "installed $prefix/bin/gearshift and $lib"
