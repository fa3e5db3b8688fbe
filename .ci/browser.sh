#!/usr/bin/env bash
# A browser for the tests of the web view. Takes Chromium or Chrome where one is installed, and installs the
# distribution's where it may. Prints the variable that names it:
#   eval "$(bash .ci/browser.sh)"
# Without one it says so, prints nothing and succeeds: these tests are skipped then.
set -euo pipefail

say() { echo "browser: $*" >&2; }

found() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  return 1
}

install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  say "installing chromium"
  { DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium ||
    { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends chromium; }; } >&2
}

browser=${TEST_CHROMIUM:-$(found || { install && found; } || true)}
if [ -z "$browser" ] || ! version=$("$browser" --version 2>/dev/null); then
  say "NONE: Chromium is not installed and cannot be; the tests of the web view in a browser are SKIPPED"
  exit 0
fi
say "$version"
printf 'export TEST_CHROMIUM=%q\n' "$browser"
