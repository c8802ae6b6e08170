#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Install the Debian packages that Gearshift is built and tested with.
#
#   util/install-deps.sh          install what is missing (as root or with sudo)
#   util/install-deps.sh --build  only what building and running needs
#   util/install-deps.sh --programs  also the programs of tests/programs
#   util/install-deps.sh --list   print the packages and what each is for
set -eu

build_packages='
gcc                    C compiler
g++                    C++ compiler for the Python binding and the tests
libc6-dev              C library headers
linux-libc-dev         kernel headers (KVM, system call numbers)
scons                  build tool
libzydis-dev           x86 decoder and encoder
libzstd-dev            compression of checkpoints
zlib1g-dev             compression of traces and statistics
libxxhash-dev          checksums of checkpoints
python3                scripts are Python
python3-dev            headers for the extension module
pybind11-dev           C++ side of the extension module
python3-rich           live progress line and tables
python3-matplotlib     plots of statistics
graphviz               diagrams of the simulated machine
xz-utils               program that util/quickstart.sh runs
'
test_packages='
libgtest-dev           unit tests
libgmock-dev           matchers of the unit tests
python3-pytest         tests in Python
gcc-multilib           32-bit guest programs
nasm                   guest programs in assembly
busybox-static         guest program: a shell and many commands
qemu-system-x86        another PC, to compare kernels with
qemu-user              another simulator, to compare speed with
clang                  second compiler, fuzz targets
clang-format           layout of C and C++
clang-tidy             lint of C and C++
cppcheck               lint of C
black                  layout of Python
flake8                 lint of Python
mypy                   types of Python
'
# What single tests need, and what tests/programs runs; what is missing is
# skipped there.
program_packages='
python3-h5py           statistics as HDF5 (h5://)
bash                   compared with its native run
bc                     compared with its native run
binutils               compared with its native run
bison                  compared with its native run
bsdextrautils          compared with its native run
bzip2                  compared with its native run
coreutils              compared with its native run
cpio                   compared with its native run
dash                   compared with its native run
dc                     compared with its native run
default-jre-headless   compared with its native run
diffutils              compared with its native run
ffmpeg                 compared with its native run
file                   compared with its native run
findutils              compared with its native run
flex                   compared with its native run
gawk                   compared with its native run
ghostscript            compared with its native run
git                    compared with its native run
gnutls-bin             compared with its native run
grep                   compared with its native run
groff                  compared with its native run
guile-3.0              compared with its native run
gzip                   compared with its native run
imagemagick            compared with its native run
jq                     compared with its native run
libc6                  compared with its native run
libgomp1               compared with its native run
libstdc++6             compared with its native run
lua5.4                 compared with its native run
lz4                    compared with its native run
m4                     compared with its native run
make                   compared with its native run
mawk                   compared with its native run
nettle-bin             compared with its native run
nodejs                 compared with its native run
openssl                compared with its native run
p7zip-full             compared with its native run
patch                  compared with its native run
perl                   compared with its native run
perl-base              compared with its native run
php-cli                compared with its native run
ruby                   compared with its native run
sed                    compared with its native run
sox                    compared with its native run
sqlite3                compared with its native run
tar                    compared with its native run
tcl                    compared with its native run
vim-common             compared with its native run
xxd                    compared with its native run
xz-utils               compared with its native run
zstd                   compared with its native run
'

case "${1-}" in
--list)
    echo "To build and run:$build_packages"
    echo "To test and check:$test_packages"
    echo "To test with (--programs):$program_packages"
    exit 0
    ;;
--build) wanted=$build_packages ;;
--programs) wanted=$build_packages$test_packages$program_packages ;;
'') wanted=$build_packages$test_packages ;;
*)
    echo "usage: $0 [--build | --programs | --list]" >&2
    exit 2
    ;;
esac

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
while read -r package why; do
    [ -n "$package" ] || continue
    if ! is_installed "$package"; then
        missing+=("$package")
        echo "missing: $package ($why)"
    fi
done <<<"$wanted"

if [ ${#missing[@]} -eq 0 ]; then
    echo "all Debian packages are installed"
    exit 0
fi
if ! command -v apt-get >/dev/null; then
    echo "$0: no apt-get here; install by hand: ${missing[*]}" >&2
    exit 1
fi
as_root=()
if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null; then
        echo "$0: run as root: apt-get install ${missing[*]}" >&2
        exit 1
    fi
    as_root=(sudo)
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q)
echo "installing: ${missing[*]}"
"${apt[@]}" update </dev/null || echo "$0: apt-get update failed; going on" >&2
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
