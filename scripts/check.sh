#!/usr/bin/env bash
# check.sh: rules that no compiler holds. Prints each breach and returns 1 if there was one.
set -euo pipefail
cd "$(dirname "$0")/.."

breaches=0
breach() {
  echo "$1" >&2
  breaches=$((breaches + 1))
}

# files PATTERN…: this project's own files, new ones included, ignored and deleted ones not.
files() {
  git ls-files -co --exclude-standard -- "$@" | while read -r f; do
    if [ -f "$f" ]; then echo "$f"; fi
  done
}

unformatted=$(files '*.go' | xargs gofmt -l)
for f in $unformatted; do
  breach "$f: not gofmt's format; make fmt"
done

while read -r f; do
  n=$(wc -l <"$f")
  if [ "$n" -gt 500 ]; then breach "$f: $n lines; 500 is the most that one can keep in mind"; fi
done < <(files '*.go' '*.js' '*.mjs' '*.ts' '*.css' '*.html' '*.sh' '*.yaml' '*.md' Makefile)

# A lock file that names a registry's host would fetch from there, whatever registry its user has set.
while read -r f; do
  if grep -nE '"resolved": *"(https?|git\+)' "$f" >&2; then
    breach "$f: names a registry's host; npm install with .npmrc's omit-lockfile-registry-resolved removes it"
  fi
done < <(files '*package-lock.json')

if [ "$breaches" -gt 0 ]; then exit 1; fi
echo "formatting, file sizes and lock file are in order"
