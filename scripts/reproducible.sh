#!/usr/bin/env bash
# reproducible.sh VERSION: builds the binary in two directories, once with Go's cache and once without, with other time zone,
# language and umask, and fails if they differ. If scripts/check-image.sh has built an image, its binary is compared, too.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

[ -f node_modules/.package-lock.json ] || npm ci --no-progress --loglevel=error
# copy DIRECTORY: the files of this repository and the installed packages.
copy() {
  mkdir -p "$1"
  git ls-files -co --exclude-standard -z | tar --null --ignore-failed-read -cf - -T - 2>/dev/null | tar -xf - -C "$1"
  cp -r node_modules "$1/"
  touch "$1/node_modules/.package-lock.json"
}
copy "$work/a"
copy "$work/a directory with another name"
(cd "$work/a" && make --silent build "VERSION=$version") >/dev/null
(cd "$work/a directory with another name" && umask 0077 &&
  TZ=Pacific/Auckland LC_ALL=C GOCACHE="$work/cache" make --silent build "VERSION=$version") >/dev/null
first=$(sha256sum <"$work/a/bin/ticklane")
second=$(sha256sum <"$work/a directory with another name/bin/ticklane")
if [ "$first" != "$second" ]; then
  diff -rq "$work/a/public/assets" "$work/a directory with another name/public/assets" >&2 || true
  echo "reproducible: two builds differ: ${first%% *} and ${second%% *}" >&2
  exit 1
fi
echo "reproducible: two builds are the same: ${first%% *}"
if [ -f bin/image/sha256 ] && [ "$(cat bin/image/version)" = "$version" ]; then
  [ "$(cat bin/image/sha256)" = "${first%% *}" ] || { echo "reproducible: the image has another binary: $(cat bin/image/sha256)" >&2; exit 1; }
  echo 'reproducible: the image has the same binary'
fi
