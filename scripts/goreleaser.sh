#!/usr/bin/env bash
# goreleaser.sh ARGUMENT…: runs goreleaser, which is built in bin/ if it isn't installed (minutes, once).
set -euo pipefail
cd "$(dirname "$0")/.."
version=v2.14.0
program=$(command -v goreleaser || echo "bin/goreleaser-$version")
if [ ! -x "$program" ]; then
  echo 'go install goreleaser  (compiles for minutes, once)'
  GOBIN=$PWD/bin go install "github.com/goreleaser/goreleaser/v2@$version"
  mv bin/goreleaser "$program"
fi
exec "$program" "$@"
