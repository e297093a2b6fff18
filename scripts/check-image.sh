#!/usr/bin/env bash
# check-image.sh VERSION: builds deploy/Dockerfile with buildah and runs the image with podman: read-only, without rights.
# The base images are replaced by one that has this machine's /usr, with its Go and Node, so that no image is fetched. As
# root on Linux; a Debian system gets the packages installed. The log and the hash of the binary are in bin/image.
set -euo pipefail
cd "$(dirname "$0")/.."
version=$1
port=${PORT:-3980}
out=bin/image
store=$(mktemp -d)
image=localhost/ticklane:check
base=localhost/base:check

scripts/need.sh containers
mkdir -p "$out" "$store/base/usr" "$store/base/tmp" "$store/base/root"
storage=(--storage-driver vfs --root "$store/storage" --runroot "$store/run")
buildah() { command buildah "${storage[@]}" "$@"; }
podman() { command podman "${storage[@]}" --runtime runc --cgroup-manager cgroupfs "$@"; }
fail() {
  echo "image: $1" >&2
  exit 1
}
name=ticklane-check-$$
trap 'podman rm --force --time 0 "$name" >/dev/null 2>&1 || true; rm -rf "$store"' EXIT

for link in bin lib lib64 sbin; do
  if [ -L "/$link" ]; then ln -sfn "usr/$link" "$store/base/$link"; fi
done
printf 'FROM scratch\nCOPY . /\nENV PATH=%s HOME=/root\n' "$PATH" >"$store/Basefile"
buildah build --quiet --file "$store/Basefile" --tag "$base" "$store/base" >/dev/null

# Modules and packages come from this machine's caches where it has them, by its settings of go and npm.
mounts=(--volume /usr:/usr:ro --volume /etc/ssl:/etc/ssl:ro --volume "$(go env GOMODCACHE):/root/go/pkg/mod" --volume "$(go env GOCACHE):/root/.cache/go-build"
  --volume "$(npm config get cache):/root/.npm")
for f in /etc/npmrc /etc/alternatives; do
  if [ -e "$f" ]; then mounts+=(--volume "$f:$f:ro"); fi
done
if [ -f ~/.npmrc ]; then mounts+=(--volume "$HOME/.npmrc:/root/.npmrc:ro"); fi
buildah build --isolation chroot --network host --format docker --file deploy/Dockerfile --tag "$image" "${mounts[@]}" \
  --build-arg "NODE_IMAGE=$base" --build-arg "GO_IMAGE=$base" --build-arg "VERSION=$version" . >"$out/build.log" 2>&1 || {
  tail -20 "$out/build.log" >&2
  fail "the build failed; $out/build.log"
}

podman inspect --format '{{.Config.User}}' "$image" | grep -x 65532:65532 >/dev/null || fail 'the user is not 65532'
[ "$(podman inspect --format '{{json .HealthCheck.Test}}' "$image")" = '["CMD","/ticklane","health"]' ] || fail 'no health check'
root=$(podman image mount "$image")
find "$root" -mindepth 1 -printf '%M %u %10s  /%P\n' | tee "$out/files.txt"
writable=$(find "$root" -mindepth 1 \( -user 65532 -o -perm /022 \) -printf '/%P ')
[ "$writable" = '/data ' ] || fail "the user can write to $writable"
if [ -e "$root/bin" ] || [ -e "$root/usr" ]; then fail 'it has more than the binary'; fi
sha256sum "$root/ticklane" | cut -d' ' -f1 >"$out/sha256"
echo "$version" >"$out/version"
podman image unmount "$image" >/dev/null

# The limits of this shell: podman's own defaults can be above those of a machine.
podman run --detach --name "$name" --network host --read-only --cap-drop all --security-opt no-new-privileges --no-healthcheck \
  --ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit nproc=2000:2000 --memory 512m --pids-limit 200 --volume "$name:/data" \
  --env "TICKLANE_SERVER_ADDR=127.0.0.1:$port" --env TICKLANE_DATA_DIR=/data --env TICKLANE_SERVER_DRAIN_DELAY=1s "$image" >/dev/null
health() { podman exec "$name" /ticklane health; }
for _ in $(seq 100); do
  if health >/dev/null 2>&1; then break; fi
  sleep 0.2
done
health || { podman logs "$name" >&2; fail 'not ready'; }
curl -fsS "http://127.0.0.1:$port/" | grep '/assets/' >/dev/null || fail 'the page has no browser code'
ticks=$(curl -fsSN --max-time 10 "http://127.0.0.1:$port/sse/subscribe?limit=5" | grep -c '^data: {"T":"q"') || true
[ "$ticks" = 5 ] || fail "$ticks ticks, want 5"
podman exec "$name" /ticklane version | grep -F "ticklane $version " >/dev/null || fail 'it has another version'
if podman exec "$name" /bin/sh -c true 2>/dev/null; then fail 'it has a shell'; fi
pid=$(podman inspect --format '{{.State.Pid}}' "$name")
status=$(grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status" | tr '\t\n' ' ,')
echo "image: the process has $status"
case $status in *'Uid: 65532 65532'*'CapEff: 0000000000000000'*'NoNewPrivs: 1'*'Seccomp: 2'*) ;; *) fail 'the process has more rights than it needs' ;; esac
podman kill --signal TERM "$name" >/dev/null
code=$(podman wait "$name")
[ "$code" = 0 ] || fail "exit code $code after SIGTERM"
podman logs "$name" 2>&1 | grep '"msg":"shut down"' >/dev/null || fail 'it did not shut down in order'
echo "image: built, $(awk '{s += $3} END {printf "%.1f MB", s / 1e6}' "$out/files.txt"); ran read-only as user 65532 without capabilities; ready, served a page and 5 ticks, shut down in order"
