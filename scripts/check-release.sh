#!/usr/bin/env bash
# check-release.sh: builds the release of HEAD for all systems with goreleaser, without publishing it, in a clone whose remote is made up;
# compares the binary of this system with that of make build, and checks the archives. Minutes the first time.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
fail() {
  echo "release: $1" >&2
  exit 1
}
git clone --quiet --no-hardlinks . "$work/ticklane"
cp -r node_modules "$work/ticklane/"
mkdir -p "$work/ticklane/bin"
for tool in bin/goreleaser-* bin/cyclonedx-gomod-*; do
  if [ -x "$tool" ]; then cp "$tool" "$work/ticklane/bin/"; fi
done
cd "$work/ticklane"
touch node_modules/.package-lock.json
git remote set-url origin https://github.com/example/ticklane.git # goreleaser wants the address of a host that it knows
scripts/goreleaser.sh check
make --silent build >/dev/null
cyclonedx=$(ls bin/cyclonedx-gomod-* 2>/dev/null | head -1 || true)
skip=
if [ -n "$cyclonedx" ]; then mkdir "$work/path" && ln -s "$PWD/$cyclonedx" "$work/path/cyclonedx-gomod"; else skip=--skip=sbom; fi
PATH=$work/path:$PATH scripts/goreleaser.sh release --snapshot --clean --parallelism 1 $skip >"$work/log" 2>&1 || {
  tail -20 "$work/log" >&2
  fail 'goreleaser release failed'
}
system=$(go env GOOS)_$(go env GOARCH)
cmp bin/ticklane dist/ticklane_"$system"*/ticklane || fail "the binary of the release for $system isn't that of make build"
(cd dist && sha256sum --check --quiet checksums.txt) || fail 'checksums.txt is wrong'
for name in linux_amd64.tar.gz linux_arm64.tar.gz darwin_amd64.tar.gz darwin_arm64.tar.gz windows_amd64.zip windows_arm64.zip; do
  archive=$(ls dist/ticklane_*_"$name") || fail "there is no archive for $name"
  files=$(case $name in *.zip) unzip -Z1 "$archive" ;; *) tar -tf "$archive" ;; esac)
  for file in LICENSE README.md SECURITY.md config.yaml THIRD_PARTY_LICENSES.txt deploy/systemd/ticklane.service; do
    grep -qx "$file" <<<"$files" || fail "$archive has no $file"
  done
done
ls -l dist/*.tar.gz dist/*.zip dist/*.json | awk '{print $5, $9}' | sed "s#^#release: #"
cp "$work/log" "$here/bin/release.log"
echo "release: six archives with checksums; the binary for $system is that of make build"
