#!/usr/bin/env bash
# bench.sh PATTERN BENCHTIME: runs the benchmarks whose names match, one package at a time.
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=${1:-.}
benchtime=${2:-1s}

cat <<'TEXT'
A line has the name, with -N for N processors, the number of iterations, and
  ns/op      time for one operation             B/op, allocs/op   memory and allocations for one
  ticks/s    ticks generated, appended or delivered per second, by the benchmark's name
Close other programs, run it more than once, and ignore differences smaller than those between two equal runs.
TEXT

files=$(grep -rlE --include='*_test.go' --exclude-dir={node_modules,bench} '^func Benchmark' .) || {
  echo "no benchmarks found" >&2
  exit 1
}
packages=()
while read -r dir; do packages+=("$dir"); done < <(xargs -n1 dirname <<<"$files" | sort -u)
go test -p 1 -run '^$' -bench "$pattern" -benchmem -benchtime "$benchtime" "${packages[@]}"
