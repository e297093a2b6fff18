#!/usr/bin/env bash
# check-deploy.sh VERSION: builds, runs and checks what is in deploy/, as far as this machine allows, and says for each part what
# was done. Fails if a check fails or can't be run. Needs bin/ticklane.
set -uo pipefail
cd "$(dirname "$0")/.."
version=$1
mkdir -p bin
failures=0
report() { printf '%-12s %-7s %s\n' "$1" "$2" "$3" | tee -a bin/check-deploy.txt; }
# check PART KIND WHAT COMMAND…: runs the command; KIND is "ran" or "checked".
check() {
  local part=$1 kind=$2 what=$3
  shift 3
  echo "==> $part: $what"
  if "$@"; then
    report "$part" "$kind" "$what"
  else
    report "$part" FAILED "$what"
    failures=$((failures + 1))
  fi
}
: >bin/check-deploy.txt

# systemd: with the path of this binary, because the unit's program need not be installed here.
unit() {
  local work
  work=$(mktemp -d)
  mkdir "$work/ticklane.service.d"
  sed "s#/usr/local/bin/ticklane#$PWD/bin/ticklane#" deploy/systemd/ticklane.service >"$work/ticklane.service"
  for dropin in "$@"; do cp "deploy/systemd/$dropin" "$work/ticklane.service.d/"; done
  local errors
  errors=$(systemd-analyze verify "$work/ticklane.service" 2>&1 | grep -F "$work" || true)
  if [ -n "$errors" ]; then
    echo "$errors" >&2
    return 1
  fi
  # 2.5 of 10: most services of a distribution have 9.
  systemd-analyze security --offline=true --threshold=25 --no-pager "$work/ticklane.service" | tail -1
}
if command -v systemd-analyze >/dev/null; then
  check systemd checked 'systemd-analyze verify and security: the unit' unit
  for dropin in deploy/systemd/*.conf; do
    check systemd checked "systemd-analyze verify and security: with $(basename "$dropin")" unit "$(basename "$dropin")"
  done
else
  check systemd checked 'systemd-analyze is missing' false
fi

check systemd ran 'the unit under systemd in a container, alone, with each drop-in and with both (credentials only checked)' scripts/check-unit.sh

# Prometheus, which is unpacked and not installed, so that no service is started.
prometheus=$(command -v prometheus || true)
promtool=$(command -v promtool || true)
if [ -z "$prometheus" ] || [ -z "$promtool" ]; then
  prometheus=$PWD/bin/prometheus/usr/bin/prometheus promtool=$PWD/bin/prometheus/usr/bin/promtool
  if [ ! -x "$promtool" ] && command -v apt-get >/dev/null; then
    mkdir -p bin/prometheus
    (cd bin/prometheus && { apt-get download prometheus || { apt-get update -qq && apt-get download prometheus; }; } && dpkg -x prometheus_*.deb .) >bin/prometheus/log 2>&1 ||
      tail -3 bin/prometheus/log >&2
  fi
fi
promtool() (cd deploy/prometheus && "$promtool" "$@")
check prometheus checked 'promtool check config' promtool check config --lint=all --lint-fatal prometheus.yaml
check prometheus ran 'promtool test rules: each alert fires, and none for a healthy server' promtool test rules tests.yaml

# Kubernetes, compose and Grafana by the libraries of these platforms; Prometheus with rules and dashboard against a server.
go_tests() (cd deploy/check && TICKLANE=$PWD/../../bin/ticklane PROMETHEUS=$prometheus CADDY=$(command -v caddy) go test -count=1 -run "$1" .)
check kubernetes checked "kustomize build, types of the API (strict), Pod Security 'restricted', selectors, ports, drain" go_tests '^TestKubernetes'
check compose checked "docker compose's loader with its schema, rights, networks" go_tests '^TestCompose'
scripts/need.sh proxies || true
check compose ran 'Caddy with the file of compose in front of a server: HTTP/2, streams, no figures' go_tests '^TestCaddyfile$'
check grafana checked "Grafana's types (strict)" go_tests '^TestDashboard$'
check grafana ran 'Prometheus scrapes a server, evaluates all rules, and returns series for every panel' go_tests '^TestPrometheus$'

check release ran "goreleaser check, and a release for all systems that isn't published; same binary as make build" scripts/check-release.sh
check image ran 'built with base images from this machine; read-only, without rights; health, page, stream, shutdown' scripts/check-image.sh "$version"
check binary ran 'built twice in different surroundings: the same hash' scripts/reproducible.sh "$version"

echo
cat bin/check-deploy.txt
exit "$((failures > 0))"
