#!/usr/bin/env bash
# fuzz.sh TIME: runs each fuzz target for TIME, a Go duration. Stops at the first failure. Go keeps its input under
# testdata/fuzz as a test case; commit it with the fix.
set -euo pipefail
cd "$(dirname "$0")/.."
each=${1:-60s}

# Lines such as ./internal/quote/position_test.go:func FuzzPosition
targets=$(grep -roE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz[A-Za-z0-9_]+' . | sort) || {
  echo "no fuzz targets found" >&2
  exit 1
}
echo "$(wc -l <<<"$targets") fuzz targets, $each each"

while IFS=: read -r file func; do
  name=${func#func }
  echo
  echo "$name in $(dirname "$file")"
  module=. package=$(dirname "$file")
  if [[ $package == ./bench/* ]]; then module=bench package=./${package#./bench/}; fi # a separate module
  go -C "$module" test -run '^$' -fuzz "^$name\$" -fuzztime "$each" "$package" </dev/null
done <<<"$targets"
