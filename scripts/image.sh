#!/usr/bin/env bash
# image.sh VERSION: builds the container image ticklane:VERSION with docker, podman or buildah, whichever is there.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
tag=ticklane:${version//+/-}
for tool in docker podman buildah; do
  command -v "$tool" >/dev/null || continue
  [ "$tool" != docker ] || docker info >/dev/null 2>&1 || continue # a client without an engine
  format=()
  [ "$tool" = docker ] || format=(--format docker) # OCI's format has no HEALTHCHECK
  exec "$tool" build "${format[@]}" --file deploy/Dockerfile --build-arg "VERSION=$version" --tag "$tag" .
done
echo 'image: docker, podman and buildah are missing: install one (Debian: apt-get install buildah)' >&2
exit 1
