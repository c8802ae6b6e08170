# SPDX-License-Identifier: BSD-3-Clause
set -e
export GIT_AUTHOR_DATE='2001-01-01T00:00:00Z' GIT_COMMITTER_DATE='2001-01-01T00:00:00Z'
git init -q -b main repo
cd repo
git config user.name tester
git config user.email tester@example.org
git config gc.auto 0
cp ../t.txt .
git add t.txt
git commit -q -m first
sed -i s/cache/CACHE/ t.txt
git diff --stat
git commit -q -a -m second
git checkout -q -b side HEAD~1
echo new > n.txt
git add n.txt
git commit -q -m third
git merge -q -m merged main
git log --oneline --graph --stat
git fsck --full
git status --short
cd ..
rm -r repo
