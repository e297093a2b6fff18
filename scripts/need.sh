#!/usr/bin/env bash
# need.sh npm|compiler|browser|firefox|clients|containers|proxies|haproxy|strace|hey: returns 0 if the tool is available. If it is missing, root on Debian or Ubuntu
# gets its package installed; for other users the script prints how to install it and fails.
set -euo pipefail

# have NAME…: succeeds if one of these commands exists.
have() {
  local name
  for name in "$@"; do
    if command -v "$name" >/dev/null; then return 0; fi
  done
  return 1
}

# install PACKAGE… -- HOW: installs with apt-get as root. As another user, or when that fails, it prints HOW and fails.
install() {
  local packages=()
  while [ "$1" != -- ]; do packages+=("$1"); shift; done
  if [ "$(id -u)" = 0 ] && have apt-get; then
    echo "installing ${packages[*]} with apt-get (once)" >&2
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq >&2 && apt-get install -y -qq --no-install-recommends "${packages[@]}" >&2; then return 0; fi
  fi
  echo "$2" >&2
  return 1
}

case "${1-}" in
npm)
  how="install Node 20 or later, which brings npm: https://nodejs.org/en/download, or nvm install --lts (the packages of Debian 12 and Ubuntu 24.04 are too old)."
  for tool in node npm; do
    have "$tool" || {
      echo "$tool is missing: $how" >&2
      exit 1
    }
  done
  [ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || {
    echo "Node is too old, $(node --version) at $(command -v node): $how" >&2
    exit 1
  }
  ;;
compiler) # the race detector needs cgo, which uses this compiler only
  cc=$(go env CC)
  cc=${cc%% *} # without its flags
  how="The C compiler $cc is missing, which Go's race detector needs (go env CC): install it (Debian: apt-get install gcc libc6-dev; macOS: xcode-select --install), or name another with go env -w CC=…"
  if ! have "$cc"; then
    [ "$cc" = gcc ] || {
      echo "$how" >&2
      exit 1
    }
    install gcc libc6-dev -- "$how"
  fi
  ;;
browser)
  have chromium chromium-browser google-chrome google-chrome-stable ||
    [ -d "/Applications/Google Chrome.app" ] || [ -d /Applications/Chromium.app ] ||
    install chromium -- \
      "Chromium or Chrome is missing, which the tests in e2e/ need: install it (Debian: apt-get install chromium) or run make as root."
  ;;
firefox)
  have firefox-esr firefox || [ -d /Applications/Firefox.app ] || install firefox-esr -- \
    "Firefox is missing, which a test in e2e/ needs: install it (Debian: apt-get install firefox-esr; elsewhere: https://www.firefox.com) or run make as root."
  ;;
clients) # for the documented clients and the tests of compression, besides Go and Node
  have curl || install curl -- \
    "curl is missing, which tests in e2e/ need: install it (Debian: apt-get install curl)."
  have python3 || install python3 -- \
    "python3 is missing, which tests in e2e/ need: install it (Debian: apt-get install python3)."
  # Debian's package belongs to the system's Python, which may not be the first in the path.
  python3 -c 'import websockets' 2>/dev/null || /usr/bin/python3 -c 'import websockets' 2>/dev/null ||
    install python3-websockets -- \
      "Python's websockets is missing, which tests in e2e/ need: pip install websockets (Debian: apt-get install python3-websockets)."
  ;;
containers) # to build and run the image
  for tool in buildah podman runc curl; do
    have "$tool" || install "$tool" -- "$tool is missing: install it (Debian: apt-get install $tool)."
  done
  ;;
proxies | haproxy) # Their packages would start them as services, so that is switched off meanwhile.
  missing=()
  pairs="haproxy=haproxy ip=iproute2"
  if [ "$1" = proxies ]; then pairs+=" nginx=nginx caddy=caddy apache2=apache2 varnishd=varnish hitch=hitch"; fi
  for pair in $pairs; do
    have "${pair%=*}" "/usr/sbin/${pair%=*}" || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} = 0 ] && exit 0
  policy=/usr/sbin/policy-rc.d
  if [ "$(id -u)" = 0 ] && have apt-get && [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  install "${missing[@]}" -- "Missing: ${missing[*]} (Debian: apt-get install ${missing[*]})."
  ;;
strace)
  have strace || install strace -- "strace is missing, which makes disks slow in make cluster: install it (Debian: apt-get install strace)."
  ;;
hey)
  have hey || install hey -- \
    "hey is missing: go install github.com/rakyll/hey@latest, and have \$(go env GOPATH)/bin in your PATH (Debian: apt-get install hey)."
  ;;
*)
  echo "usage: need.sh npm|compiler|browser|firefox|clients|containers|proxies|haproxy|strace|hey" >&2
  exit 2
  ;;
esac
