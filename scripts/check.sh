#!/usr/bin/env bash
# check.sh: checks rules of this repository that no linter knows. Prints each violation and returns 1 if there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

maxlines=500  # of a file
maxsubject=72  # characters of a commit's subject
# Commits up to this one are older than the rule for subjects.
base=8612f2dc8c3d620687c1dd71e895bd866bc216af

violations=0
violation() {
  echo "$1" >&2
  violations=$((violations + 1))
}

# files PATTERN…: the repository's files, new ones included, without ignored and deleted ones.
files() {
  git ls-files -co --exclude-standard -- "$@" | while read -r f; do
    if [ -f "$f" ]; then echo "$f"; fi
  done
}

# commits: the hashes of the commits after base. A shallow clone without base has only newer ones. A repository with
# another history has none.
commits() {
  if git merge-base --is-ancestor "$base" HEAD 2>/dev/null; then
    git rev-list --no-merges "$base..HEAD"
  elif [ "$(git rev-parse --is-shallow-repository)" = true ]; then
    git rev-list --no-merges HEAD
  fi
}

for f in $(files '*.go' | xargs gofmt -l); do
  violation "$f: not formatted: make fmt"
done

while read -r f; do
  n=$(wc -l <"$f")
  if [ "$n" -gt "$maxlines" ]; then violation "$f: $n lines, want at most $maxlines"; fi
done < <(files '*.go' '*.js' '*.mjs' '*.ts' '*.css' '*.html' '*.sh' '*.yaml' '*.md' Makefile)

# With a registry's host in the lock file, npm would ignore the registry that its user has set.
while read -r f; do
  if grep -nE '"resolved": *"(https?|git\+)' "$f" >&2; then
    violation "$f: contains a registry's address: npm install, with omit-lockfile-registry-resolved from .npmrc"
  fi
done < <(files '*package-lock.json')

# Words that docs/glossary.md and plain English replace.
while read -r line; do
  violation "${line%%:*}: not in the plain language of this repository: ${line#*:}"
done < <(git grep -nwE 'told|tells whether|whoever|somebody|of its own|by turns' -- '*.go' '*.js')

while read -r hash; do
  subject=$(git log -1 --format=%s "$hash")
  n=$(printf %s "$subject" | LC_ALL=C.UTF-8 wc -m)
  if [ "$n" -gt "$maxsubject" ]; then violation "commit ${hash:0:9}: subject of $n characters, want at most $maxsubject: $subject"; fi
done < <(commits)

if [ "$violations" -gt 0 ]; then exit 1; fi
echo 'format, file sizes, lock file, words and commit subjects are in order'
