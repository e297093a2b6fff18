#!/usr/bin/env bash
# test.sh GROUP…: runs targets of the Makefile and prints how long each took. Groups run one after the other; a group is
# one target, or several joined by commas, which run at the same time; of the second and further ones it prints the output
# only if they fail. All targets run even when one fails; then the script returns 1.
set -euo pipefail
cd "$(dirname "$0")/.."

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT

# run TARGET: makes it and keeps its time and exit status.
run() {
  local start status=0
  start=$(date +%s)
  make --no-print-directory "$1" || status=$?
  echo "$1 $start $(date +%s) $status" >>"$logs/results"
}

start=$(date +%s)
for group in "$@"; do
  IFS=, read -ra targets <<<"$group"
  for target in "${targets[@]:1}"; do
    run "$target" >"$logs/$target" 2>&1 &
  done
  run "${targets[0]}"
  wait
  for target in "${targets[@]:1}"; do
    if ! grep -q "^$target .* 0$" "$logs/results"; then cat "$logs/$target"; fi
  done
done

echo
awk -v from="$start" -v to="$(date +%s)" -v load="$(uptime | sed 's/.*average[s]*: *//')" '
  { printf "  %-12s %6.0f s  %s\n", $1, $3 - $2, $4 ? "FAILED" : "passed"; failed += $4 != 0 }
  END { printf "  %-12s %6.0f s  load average %s\n", "all", to - from, load; exit failed > 0 }' "$logs/results"
