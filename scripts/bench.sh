#!/usr/bin/env bash
# bench.sh PATTERN BENCHTIME: runs the benchmarks whose names match, package by package, so that none disturbs another.
set -euo pipefail
cd "$(dirname "$0")/.."
pattern=${1:-.}
benchtime=${2:-1s}

cat <<'TEXT'
How to read a line: name, with -N for N processors; how often it ran; then
  ns/op      time for one operation             B/op, allocs/op   memory and allocations for one
  ticks/s    ticks made, appended or delivered in a second, as the benchmark's name says
Close other programs first, run it more than once, and believe no difference smaller than that between two equal runs.
TEXT

files=$(grep -rlE --include='*_test.go' --exclude-dir={node_modules,bench} '^func Benchmark' .) || {
  echo "there is no benchmark" >&2
  exit 1
}
packages=()
while read -r dir; do packages+=("$dir"); done < <(xargs -n1 dirname <<<"$files" | sort -u)
go test -p 1 -run '^$' -bench "$pattern" -benchmem -benchtime "$benchtime" "${packages[@]}"
