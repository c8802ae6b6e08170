# SPDX-License-Identifier: BSD-3-Clause
# flake8: noqa: E501 (a command stays on its line)
"""
The programs that must behave under gearshift as they do natively.

One row each, here or, where a line will do, in the file `list`. `command` is split as a shell would, without expanding; rows
that need a shell name one.  A word {guest} is the folder of the programs built
from tests/guest/c.  `files` are made before the program starts.  What a row
prints and writes must not depend on time, process numbers or addresses, or
have a filter that removes just that.
"""

import re
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Dict, List, Optional

from inputs import BINARY, CSV, JSON, NUMBERS, SOURCES, TEXT


@dataclass(frozen=True)
class Row:
    """A program to run."""

    name: str
    package: str
    command: str
    files: Dict[str, bytes] = field(default_factory=dict)
    cpus: int = 1
    slow: bool = False
    stdin: bytes = b""
    filter: Optional[Callable[[bytes], bytes]] = None


TXT = {"t.txt": TEXT}
BIN = {"b.bin": BINARY}


def busybox(applet: str, words: str = "", **more) -> Row:
    """An applet of the static busybox."""
    name = "busybox-" + applet
    command = f"busybox {applet} {words}"
    return Row(name, "busybox-static", command, **more)


def shell(name: str, package: str, script: str, **more) -> Row:
    """A script for dash."""
    return Row(name, package, "dash -c " + shlex.quote(script), **more)


def without_links(data: bytes) -> bytes:
    """File systems differ in how they count links of directories."""
    return re.sub(rb" +\d+ (?=root)", b" ", re.sub(rb" +", b" ", data))


def read_list() -> List[Row]:
    """The rows that need nothing but a line in the file `list`."""
    rows = []
    path = Path(__file__).parent / "list"
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, package, command = line.split(" | ", 2)
        if command.startswith("sh: "):
            command = "/bin/sh -c " + shlex.quote(command[4:])
        rows.append(Row(name, package, command))
    return rows


def sources(*names: str) -> Dict[str, bytes]:
    """Some of the source files."""
    return {name: SOURCES[name] for name in names}


ROWS: List[Row] = [
    # busybox
    busybox("ls", "-1 .", files=TXT),
    busybox("sort", "-r t.txt", files=TXT),
    busybox("md5sum", "b.bin", files=BIN),
    busybox("sha1sum", "b.bin", files=BIN),
    busybox(
        "awk", "'{ n[$1]++ } END { print length(n), NR }' t.txt", files=TXT
    ),
    busybox("sed", "'s/a\\(.\\)/<\\1>/g' t.txt", files=TXT),
    busybox("grep", "-n sim t.txt", files=TXT),
    busybox(
        "tar",
        "cf - t.txt b.bin --mtime=@0",
        files={**TXT, **BIN},
        filter=lambda d: d[-1024:],
    ),
    busybox("gzip", "-c t.txt", files=TXT, filter=lambda d: d[10:]),
    busybox("vi", "--help"),
    busybox("ash", "-c 'for i in 1 2 3; do echo $((i * i)); done | tac'"),
    busybox("dc", "-e '2 200 ^ p'"),
    busybox("hexdump", "-C b.bin", files=BIN),
    busybox("find", ". -type f", files=TXT),
    busybox("factor", "1234567890123 97"),
    # coreutils
    Row(
        "ls-long",
        "coreutils",
        "ls -l --time-style=+ .",
        files=TXT,
        filter=without_links,
    ),
    Row("ls-root", "coreutils", "ls -a /"),
    Row(
        "sort-numbers", "coreutils", "sort -n n.txt", files={"n.txt": NUMBERS}
    ),
    Row("sort-unique", "coreutils", "sort -u -k2 -o out.txt t.txt", files=TXT),
    Row(
        "sha256sum", "coreutils", "sha256sum b.bin t.txt", files={**BIN, **TXT}
    ),
    Row("sha512sum", "coreutils", "sha512sum b.bin", files=BIN),
    Row("b2sum", "coreutils", "b2sum b.bin", files=BIN),
    Row("cut", "coreutils", "cut -d , -f 2,4 t.csv", files={"t.csv": CSV}),
    Row("tr", "coreutils", "tr a-z A-Z", stdin=TEXT),
    Row("wc", "coreutils", "wc t.txt b.bin", files={**TXT, **BIN}),
    Row("od", "coreutils", "od -A x -t x2z b.bin", files=BIN),
    Row(
        "factor",
        "coreutils",
        "factor 18446744073709551557 1000000016000000063",
    ),
    Row("seq", "coreutils", "seq -f %.3f 0 0.125 100"),
    Row(
        "cp-chmod", "coreutils", "install -m 640 -D t.txt a/b/c.txt", files=TXT
    ),
    Row("split", "coreutils", "split -l 100 t.txt part-", files=TXT),
    Row(
        "dd",
        "coreutils",
        "dd if=b.bin of=out.bin bs=1000 skip=3 count=20 conv=swab status=none",
        files=BIN,
    ),
    Row("base64", "coreutils", "base64 b.bin", files=BIN),
    Row("no-such-file", "coreutils", "cat nothing t.txt", files=TXT),
    Row("date", "coreutils", "date -u -d @86400 -R"),
    Row("timeout", "coreutils", "timeout -s KILL 0.1 sleep 5"),
    shell(
        "links",
        "coreutils",
        "mkdir d; ln -s ../t.txt d/l; ln t.txt h; mv h i; cat d/l i | wc; rm t.txt; readlink d/l",
        files=TXT,
    ),
    shell(
        "tee",
        "coreutils",
        "seq 100 | tee a.txt | tail -3",
    ),
    # shells
    Row("bash", "bash", "bash script.sh", files=sources("script.sh")),
    Row(
        "bash-jobs",
        "bash",
        "bash -c 'trap \"echo caught\" USR1; kill -USR1 $$; (exit 3) & wait $!; echo $?; echo a{1..5} ${PWD##*/}'",
    ),
    Row("bash-crash", "bash", "bash -c 'kill -SEGV $$'"),
    Row(
        "dash",
        "dash",
        "dash -c 'i=0; while [ $i -lt 2000 ]; do i=$((i+1)); done; echo $i; exit 9'",
    ),
    shell(
        "pipeline",
        "dash",
        "cat t.txt | sort | uniq -c | sort -rn | head -5; exit 4",
        files=TXT,
    ),
    # languages
    Row(
        "perl",
        "perl",
        "perl -we 'my %h; while (<>) { $h{$_}++ for split } print map {\"$_ $h{$_}\\n\"} sort keys %h' t.txt",
        files=TXT,
    ),
    Row(
        "perl-fork",
        "perl",
        'perl -e \'use strict; pipe(my $r, my $w); if (!fork) { close $r; print $w "from child"; exit 5 } close $w; print <$r>; wait; print $? >> 8, "\\n"\'',
    ),
    Row(
        "perl-digest",
        "perl",
        "perl -MDigest::SHA=sha256_hex -MList::Util=sum -e 'print sha256_hex(\"x\" x 10000), sum(1..100)'",
    ),
    Row(
        "python3",
        "python3",
        "python3 -I script.py",
        files=sources("script.py"),
    ),
    Row(
        "python3-threads",
        "python3",
        "python3 -I threads.py",
        files=sources("threads.py"),
    ),
    Row(
        "python3-subprocess",
        "python3",
        'python3 -I -c \'import subprocess; print(subprocess.run(["echo", "hi"], capture_output=True)); raise SystemExit(3)\'',
    ),
    Row(
        "python3-error",
        "python3",
        "python3 -I -c 'import math; print(math.factorial(200)); 1 / 0'",
    ),
    Row("lua", "lua5.4", "lua5.4 script.lua", files=sources("script.lua")),
    Row(
        "ruby",
        "ruby",
        "ruby --disable-gems -e 'puts (1..50).map { |n| n**n }.sum, %w[b a].sort.inspect'",
    ),
    Row(
        "guile",
        "guile-3.0",
        "guile --no-auto-compile -c '(define (f n) (if (< n 2) n (+ (f (- n 1)) (f (- n 2))))) (display (f 15))'",
        slow=True,
    ),
    Row("tcl", "tcl", "tclsh script.tcl", files=sources("script.tcl")),
    Row(
        "php",
        "php-cli",
        'php -n -r \'echo json_encode([1.5, sha1("a"), range(1, 5), strrev("abc")]), preg_replace("/b+/", "x", "abbbc");\'',
    ),
    Row(
        "node",
        "nodejs",
        "node -e 'console.log([3,1,2].sort(), 2n**100n, Math.sin(1)); new Promise(r => r(4)).then(console.log)'",
        slow=True,
    ),
    Row(
        "java-version",
        "default-jre-headless",
        "java -Xshare:auto -XX:+UseSerialGC -version",
        slow=True,
    ),
    Row(
        "gawk",
        "gawk",
        "gawk -f script.awk t.txt",
        files={**TXT, **sources("script.awk")},
    ),
    Row(
        "mawk",
        "mawk",
        "mawk -f script.awk t.txt",
        files={**TXT, **sources("script.awk")},
    ),
    Row("bc", "bc", "bc -l script.bc", files=sources("script.bc")),
    Row("dc", "dc", "dc -e '30 k 2 v p 7 100 ^ p'"),
    Row("m4", "m4", "m4 script.m4", files=sources("script.m4")),
    Row(
        "jq",
        "jq",
        "jq -c '[.[] | select(.id % 3 == 0) | {id, n: (.name | ascii_upcase)}]' t.json",
        files={"t.json": JSON},
    ),
    Row(
        "sqlite3",
        "sqlite3",
        "sqlite3 test.db '.read script.sql'",
        files=sources("script.sql"),
    ),
    # text
    Row(
        "sed",
        "sed",
        "sed -n -E '/sim/{s/(\\w+) (\\w+)/\\2 \\1/p}' t.txt",
        files=TXT,
    ),
    Row("sed-in-place", "sed", "sed -i s/e/E/g t.txt", files=TXT),
    Row("grep", "grep", "grep -c -E '(sim|cache).*[0-9]$' t.txt", files=TXT),
    Row("grep-perl", "grep", "grep -noP '(?<=c)a(?!b)\\w' t.txt", files=TXT),
    shell(
        "diff-patch",
        "patch",
        "sed 's/cache/CACHE/' t.txt > u.txt; diff -u --label a --label b t.txt u.txt > p; cat p | patch t.txt; cmp t.txt u.txt && echo same",
        files=TXT,
    ),
    Row(
        "diff",
        "diffutils",
        "diff -y t.txt u.txt",
        files={"t.txt": TEXT, "u.txt": TEXT[::2]},
    ),
    Row("file", "file", "file t.txt b.bin /bin/busybox", files={**TXT, **BIN}),
    Row("xxd", "xxd", "xxd b.bin", files=BIN),
    Row("vim", "vim-common", "xxd -r -p", stdin=b"48656c6c6f0a"),
    Row("groff", "groff", "groff -Tascii t.roff", files=sources("t.roff")),
    Row(
        "column", "bsdextrautils", "column -t -s , t.csv", files={"t.csv": CSV}
    ),
    shell(
        "find-xargs",
        "findutils",
        "mkdir -p a/b/c; cp t.txt a/b; find . -type f -print0 | sort -z | xargs -0 -n 1 wc -c; find . -name '*.txt' -exec rm {} +",
        files=TXT,
    ),
    # compressors, archives
    shell(
        "gzip",
        "gzip",
        "gzip -9nk t.txt; gzip -dc t.txt.gz | cmp - t.txt",
        files=TXT,
    ),
    shell(
        "xz",
        "xz-utils",
        "xz -k -T1 b.bin; xz -dc b.bin.xz | cmp - b.bin",
        files=BIN,
    ),
    shell(
        "zstd",
        "zstd",
        "zstd -q -7 -k t.txt; zstd -q -dc t.txt.zst | cmp - t.txt",
        files=TXT,
    ),
    shell(
        "bzip2",
        "bzip2",
        "bzip2 -k t.txt; bzip2 -dc t.txt.bz2 | cmp - t.txt",
        files=TXT,
    ),
    shell(
        "lz4",
        "lz4",
        "lz4 -q -9 t.txt t.lz4; lz4 -q -dc t.lz4 | cmp - t.txt",
        files=TXT,
    ),
    shell(
        "7z",
        "p7zip-full",
        "7z a -mmt=1 -mtm=off t.7z t.txt >/dev/null; 7z t t.7z | tail -5; 7z x -so t.7z | cmp - t.txt",
        files=TXT,
    ),
    shell(
        "tar",
        "tar",
        "mkdir d; mv t.txt b.bin d; tar --mtime=@0 --sort=name --owner=0 --group=0 -czf d.tgz d; rm -r d; tar xvf d.tgz",
        files={**TXT, **BIN},
    ),
    shell(
        "cpio",
        "cpio",
        "echo t.txt | cpio -o -H newc --reproducible > x.cpio; cpio -t < x.cpio; rm x.cpio",
        files=TXT,
    ),
    # cryptography
    Row("openssl-dgst", "openssl", "openssl dgst -sha3-256 b.bin", files=BIN),
    Row(
        "openssl-aes",
        "openssl",
        "openssl enc -aes-256-cbc -K 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f -iv 00112233445566778899aabbccddeeff -in t.txt -out t.aes",
        files=TXT,
    ),
    shell(
        "openssl-rsa",
        "openssl",
        "openssl rand -out /dev/null 64; openssl genrsa -out k.pem 1024 2>/dev/null; openssl dgst -sha256 -sign k.pem -out t.sig t.txt; openssl rsa -in k.pem -pubout -out p.pem 2>/dev/null; openssl dgst -sha256 -verify p.pem -signature t.sig t.txt; rm k.pem p.pem t.sig",
        files=TXT,
    ),
    Row("nettle", "nettle-bin", "nettle-hash -a sha512 b.bin", files=BIN),
    shell(
        "certtool",
        "gnutls-bin",
        "certtool --generate-privkey --key-type=ed25519 --no-text --outfile=k.pem 2>/dev/null; certtool --load-privkey k.pem -k | grep -i algorithm; rm k.pem",
    ),
    # compilers
    shell(
        "gcc",
        "gcc",
        "gcc -O2 -Wall prime.c -o prime && ./prime",
        files=sources("prime.c"),
    ),
    shell(
        "gcc-assembly",
        "gcc",
        "gcc -O1 -S prime.c -o -; gcc -c broken.c",
        files=sources("prime.c", "broken.c"),
    ),
    shell(
        "g++",
        "g++",
        "g++ -O1 throw.cc -o throw -pthread && ./throw",
        files=sources("throw.cc"),
        slow=True,
    ),
    shell(
        "nasm",
        "nasm",
        "nasm -f elf64 t.asm -o t.o && ld t.o -o t && ./t",
        files=sources("t.asm"),
    ),
    shell(
        "bison-flex",
        "bison",
        "bison -d calc.y -o calc.c && flex -o lex.c calc.l && wc -l calc.c lex.c",
        files=sources("calc.y", "calc.l"),
    ),
    Row("flex", "flex", "flex -o lex.c calc.l", files=sources("calc.l")),
    Row(
        "objdump",
        "binutils",
        "objdump -d --no-show-raw-insn --section=.text /bin/true",
    ),
    Row("readelf", "binutils", "readelf -a -W /bin/true"),
    Row("make", "make", "make -s all", files={**TXT, **sources("Makefile")}),
    Row(
        "make-parallel",
        "make",
        "make -s -j4 all",
        files={**TXT, **sources("Makefile")},
    ),
    Row("git", "git", "bash git.sh", files={**TXT, **sources("git.sh")}),
    # pictures, sound, documents
    Row(
        "convert",
        "imagemagick",
        "convert -limit thread 1 -size 32x32 gradient:red-blue -resize 16x16 -rotate 90 ppm:out.ppm",
    ),
    Row(
        "ffmpeg",
        "ffmpeg",
        "ffmpeg -v error -cpuflags 0 -f lavfi -i testsrc=size=64x48:rate=5:duration=1 -threads 1 -f framemd5 -",
        slow=True,
    ),
    Row("sox", "sox", "sox -n -R -r 8000 -b 16 out.wav synth 0.2 sine 440"),
    Row("dot", "graphviz", "dot -Tsvg t.dot -o t.svg", files=sources("t.dot")),
    Row("dot-plain", "graphviz", "dot -Tplain t.dot", files=sources("t.dot")),
    Row(
        "ghostscript",
        "ghostscript",
        "gs -q -dNOPAUSE -dBATCH -sDEVICE=pgmraw -r20 -sOutputFile=out.pgm t.ps",
        files=sources("t.ps"),
        slow=True,
    ),
    # programs of this tree: threads, 32 bits
    Row("openmp", "libgomp1", "{guest}/openmp", cpus=4),
    Row("threads-futex", "libc6", "{guest}/contend", cpus=4),
    Row("rseq-1", "libc6", "{guest}/rseq", cpus=1),
    Row("rseq-4", "libc6", "{guest}/rseq", cpus=4),
    Row("mappings-1", "libc6", "{guest}/stale"),
    Row("mappings-4", "libc6", "{guest}/stale 4 100", cpus=4),
    Row("futexes-3", "libc6", "{guest}/futexes", cpus=3),
    Row("prctl-settings", "libc6", "{guest}/settings"),
    Row("threads-shared", "libc6", "{guest}/contend", cpus=1),
    Row("exceptions", "libstdc++6", "{guest}/exceptions", cpus=2),
    Row("decimal-32-bit", "gcc-multilib", "{guest}/decimal"),
    Row("static-32-bit", "gcc-multilib", "{guest}/sum32 12"),
    Row("faults", "libc6", "{guest}/faults"),
    Row("guest-crash", "libc6", "{guest}/crash"),
] + read_list()
