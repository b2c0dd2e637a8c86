#!/bin/sh
# `tools.sh run|test|browser`: the system programs that this needs, installed through the system's package manager as
# root. Who is not root gets one line that names the packages, and nothing is tried.
set -eu
PROGRAMS='openssl tar gzip flock setsid curl sort'
[ "${1:-run}" = run ] || PROGRAMS="$PROGRAMS busybox dash shellcheck python3 visudo net testparm exportfs logrotate"
[ "${1:-run}" != browser ] || PROGRAMS="$PROGRAMS chromium"

stop() {
  echo "edge-admin: $1" >&2
  exit 1
}

new_enough() {
  node -e '
    const [major, minor] = process.versions.node.split(".").map(Number)
    process.exit(major > 20 || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
if ! command -v npm >/dev/null 2>&1 || ! new_enough; then stop 'Node.js 20.19 or newer with npm is needed'; fi

# A busybox applet of the same name will do, except for tar: archives made by `make dist` need GNU tar.
missing() {
  list=
  for program in $PROGRAMS; do
    command -v "$program" >/dev/null 2>&1 || list="$list $program"
  done
  tar --version 2>/dev/null | grep -q GNU || list="$list tar"
  printf '%s' "$list"
}

package() { # MANAGER PROGRAM: the package that brings it
  case $2-$1 in
    flock-apk) echo flock ;;
    setsid-apk) echo setsid ;;
    flock-* | setsid-*) echo util-linux ;;
    busybox-apt-get) echo busybox-static ;;
    shellcheck-dnf) echo ShellCheck ;;
    sort-*) echo coreutils ;;
    visudo-*) echo sudo ;;
    net-apt-get | testparm-apt-get) echo samba-common-bin ;;
    net-* | testparm-*) echo samba-common-tools ;;
    exportfs-apt-get) echo nfs-kernel-server ;;
    exportfs-*) echo nfs-utils ;;
    *) echo "$2" ;;
  esac
}

todo=$(missing)
[ -n "$todo" ] || exit 0

manager=
for candidate in apt-get apk dnf; do
  if command -v "$candidate" >/dev/null 2>&1; then
    manager=$candidate
    break
  fi
done
packages=$(for program in $todo; do package "$manager" "$program"; done | sort -u 2>/dev/null | tr '\n' ' ')
packages=${packages% }
[ -n "$manager" ] || stop "please install:$todo"
[ "$(id -u)" -eq 0 ] || stop "please install (as root): $manager $([ "$manager" = apk ] && echo add || echo install) $packages"

echo "edge-admin: installing $packages" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
case $manager in
  apt-get)
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq >"$log" 2>&1 && apt-get install -y -qq --no-install-recommends $packages >>"$log" 2>&1
    ;;
  apk) apk add --quiet --no-cache $packages >"$log" 2>&1 ;;
  dnf) dnf install -y -q --setopt=install_weak_deps=False $packages >"$log" 2>&1 ;;
esac || {
  tail -n 5 "$log" >&2
  stop "could not install: $packages"
}
todo=$(missing)
[ -z "$todo" ] || stop "still missing:$todo"
