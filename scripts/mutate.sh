#!/usr/bin/env bash
# mutate.sh PACKAGE [WORKERS]: mutation testing with gremlins. Changes one operator of the package at a time, runs the
# package's tests, and lists the mutants that no test detects (LIVED), that no test reaches (NOT COVERED), and whose tests
# did not end (TIMED OUT, which counts as detected if the mutant loops forever). It works on a copy of the files.
set -euo pipefail
cd "$(dirname "$0")/.."
package=${1:?'usage: mutate.sh ./internal/quote [workers]'} workers=${2:-1}
gremlins=github.com/go-gremlins/gremlins/cmd/gremlins@v0.6.0

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
# Gremlins copies the module once more for each worker, so leave out what the tests of internal packages don't read.
{
  git ls-files -co --exclude-standard -- '*.go' go.mod go.sum config.yaml docs views public web/test internal
  ls node_modules/vega-datasets/data/{sp500-2000,stocks}.csv 2>/dev/null || true
} | sort -u | while read -r file; do if [ -e "$file" ]; then echo "$file"; fi; done | tar -cf - -T - | tar -xf - -C "$copy"

bin=$copy/.gremlins
GOBIN=$bin go install "$gremlins"
cd "$copy"
# A mutant that allocates forever must fail before it takes the machine's memory. macOS has no such limit.
ulimit -v 6000000 2>/dev/null || true
"$bin/gremlins" unleash "$package" --workers "$workers" --timeout-coefficient 10 --output-statuses lct >out.txt 2>&1 || { cat out.txt; exit 1; }

# Lines such as: LIVED CONDITIONALS_BOUNDARY at decimal.go:23:8
# Go's coverage leaves out the conditions of switch cases, which gremlins therefore never changes: those are not listed.
while read -r line; do
  IFS=: read -r file row column <<<"${line##* at }"
  source=$(sed -nE "${row}s/^[[:space:]]*//p; ${row}q" "$package/$file")
  if [[ $line == NOT* && $source == case\ * ]]; then continue; fi
  printf '%s at %s:%s:%s\n    %s\n' "${line%% at *}" "$package/$file" "$row" "$column" "$source"
done < <(sed -nE 's/^ *((LIVED|NOT COVERED|TIMED OUT) [A-Z_]+ at )/\1/p' out.txt | sort -t: -k1,1 -k2,2n)
echo
grep -E '^(Killed|Timed out|Test efficacy|Mutator coverage):' out.txt
