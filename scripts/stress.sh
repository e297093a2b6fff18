#!/usr/bin/env bash
# stress.sh FUZZTIME [SEED]: runs the long random searches of the tests, and those tests whose subject is the machine's
# speed, then fuzzes every parser for FUZZTIME. SEED, a positive number, repeats the random numbers of an earlier run.
# Takes an hour or more; nothing else should run meanwhile.
set -euo pipefail
cd "$(dirname "$0")/.."

fuzztime=${1:-60s}
seed=${2:-$((RANDOM << 15 | RANDOM | 1))}
repeat="make stress SEED=$seed"
echo "seed $seed; repeat with: $repeat"
trap '[ $? = 0 ] || echo "failed with seed $seed; repeat with: $repeat" >&2' EXIT

# One package at a time: each has both processors for itself.
TICKLANE_STRESS=1 TICKLANE_SEED=$seed CGO_ENABLED=1 go test -race -shuffle="$seed" -count=1 -p 1 -timeout 4h \
  ./internal/stream ./internal/shard ./handlers ./internal/loadtest/... ./e2e
node scripts/lighthouse.mjs
scripts/fuzz.sh "$fuzztime"
echo "passed with seed $seed"
