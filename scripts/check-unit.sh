#!/usr/bin/env bash
# check-unit.sh: runs deploy/systemd/ticklane.service under systemd, in a container that has this machine's /usr and its own
# systemd as first process: alone, and with each drop-in. A container can't have credentials, so the unit reads the files themselves;
# everything else is as it is. As root on Linux. Needs bin/ticklane.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/need.sh containers
store=$(mktemp -d)
image=localhost/systemd:check
name=ticklane-unit-$$
storage=(--storage-driver vfs --root "$store/storage" --runroot "$store/run")
podman() { command podman "${storage[@]}" --runtime runc --cgroup-manager cgroupfs "$@"; }
trap 'podman rm --force --time 0 "$name" >/dev/null 2>&1 || true; rm -rf "$store"' EXIT
fail() {
  podman exec "$name" journalctl --no-pager --unit ticklane 2>/dev/null | tail -20 >&2 || true
  echo "unit: $1" >&2
  exit 1
}

root=$store/root
mkdir -p "$root"/{dev,proc,sys,run,tmp,root,usr,opt,var/lib,var/log} "$root"/etc/{ticklane,ssl/certs,ssl/private} \
  "$root"/etc/systemd/system/{multi-user.target.wants,ticklane.service.d}
for link in bin lib lib64 sbin; do
  if [ -L "/$link" ]; then ln -s "usr/$link" "$root/$link"; fi
done
printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n' >"$root/etc/passwd"
printf 'root:x:0:\nssl-cert:x:200:\nnogroup:x:65534:\n' >"$root/etc/group"
printf 'passwd: files systemd\ngroup: files systemd\nhosts: files\n' >"$root/etc/nsswitch.conf"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
cp bin/ticklane "$root/opt/"
printf 'log:\n  format: json\n' >"$root/etc/ticklane/config.yaml"
head -c 32 /dev/urandom | base64 >"$root/etc/ticklane/session.key"
bin/ticklane token new check --read '*' --file "$root/etc/ticklane/tokens.yaml" >/dev/null 2>&1
chmod 644 "$root"/etc/ticklane/*
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 \
  -keyout "$root/etc/ssl/private/ticklane.key" -out "$root/etc/ssl/certs/ticklane.pem" 2>/dev/null
chmod 711 "$root/etc/ssl/private"
chmod 640 "$root/etc/ssl/private/ticklane.key"
without_credentials() { sed '/^LoadCredential=/d; s#${CREDENTIALS_DIRECTORY}/#/etc/ticklane/#; s#%d/#/etc/ticklane/#; s#/usr/local/bin/#/opt/#' "$1"; }
without_credentials deploy/systemd/ticklane.service >"$root/etc/systemd/system/ticklane.service"
ln -s ../ticklane.service "$root/etc/systemd/system/multi-user.target.wants/"
printf 'FROM scratch\nCOPY . /\nCOPY --chown=0:200 etc/ssl/private /etc/ssl/private\n' >"$store/Basefile"
buildah "${storage[@]}" build --quiet --file "$store/Basefile" --tag "$image" "$root" >/dev/null

# run URL DROPIN…: starts the unit, requests URL, checks the rights of the process, reloads and stops it.
run() {
  local url=$1 pid status
  shift
  mkdir -p "$store/dropins"
  rm -f "$store"/dropins/*
  for dropin in "$@"; do without_credentials "deploy/systemd/$dropin" >"$store/dropins/$dropin"; done
  podman run --detach --name "$name" --network none --privileged --systemd=always --ulimit "nofile=$(ulimit -Hn):$(ulimit -Hn)" --ulimit nproc=4000:4000 \
    --volume /usr:/usr:ro --volume "$store/dropins:/etc/systemd/system/ticklane.service.d:ro" "$image" /usr/lib/systemd/systemd >/dev/null
  for _ in $(seq 150); do
    if podman exec "$name" curl -fsSk --max-time 2 "$url" >/dev/null 2>&1; then break; fi
    sleep 0.2
  done
  podman exec "$name" curl -fsSk --max-time 5 "$url" || fail "$url can't be requested"
  pid=$(podman exec "$name" systemctl show ticklane --property MainPID --value)
  status=$(podman exec "$name" grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' "/proc/$pid/status" | tr '\t\n' ' ,')
  case $status in *'Uid: 0 '*) fail "it runs as root: $status" ;; *'NoNewPrivs: 1'*'Seccomp: 2'*) ;; *) fail "it has more rights than it needs: $status" ;; esac
  podman exec "$name" systemctl reload ticklane || fail 'it can not be reloaded'
  podman exec "$name" systemctl stop ticklane || fail 'it can not be stopped'
  [ "$(podman exec "$name" systemctl show ticklane --property Result --value)" = success ] || fail 'it did not end in order'
  podman exec "$name" journalctl --no-pager --unit ticklane | grep 'shut down' >/dev/null || fail 'it did not shut down in order'
  podman exec "$name" test -s /var/lib/private/ticklane/history.db || fail 'it has stored no bars'
  if [[ " $* " == *access.conf* ]]; then podman exec "$name" test -f /var/log/private/ticklane/audit.jsonl || fail 'there is no audit log'; fi
  podman rm --force --time 0 "$name" >/dev/null
  echo "unit: ran under systemd${*:+ with $*}: $status"
}
run http://localhost:3000/readyz
run http://localhost:3000/readyz access.conf
run https://localhost/readyz expose.conf
run https://localhost/readyz access.conf expose.conf
