#!/bin/sh
# Builds the roots, once: `debian` (minbase and what the manual asks for), `node18` (the same with Debian's own Node) and `busybox` (Debian's static
# busybox for a userland). A newcomer's trap: run it in a mount namespace of its own, as rig.sh does, so that a killed build leaves no mount.
set -eu
# shellcheck source=test/roots/places.sh
. "$(dirname -- "$0")/places.sh"
# shellcheck source=test/roots/busybox-root.sh
. "$rig/busybox-root.sh"
! finished roots "$(roots_key)" >/dev/null || exit 0
work_begin
note 'building the roots (once, about two minutes)'

tidy() { # ROOT
  rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/* "$1"/tmp/* "${1:?}"/dev/* "$1"/etc/resolv.conf
  echo appliance >"$1/etc/hostname"
  printf '127.0.0.1 localhost appliance\n::1 localhost\n' >"$1/etc/hosts"
}

mkdir "$WORK/out/debian"
bootstrap --variant=minbase --include=openssl,tar,gzip,util-linux,sudo "$SUITE" "$WORK/out/debian" "$(mirror)" || stop 'the Debian root could not be built'
bootstrap --variant=minbase --include=openssl,tar,gzip,util-linux,sudo,nodejs,busybox-static "$SUITE" "$WORK/out/node18" "$(mirror)" ||
  stop 'the Debian root with its own Node could not be built'
for root in debian node18; do tidy "$WORK/out/$root"; done
debian=$WORK/out/debian

node=$(readlink -f "$(command -v node)")
install -m 755 "$node" "$debian/usr/bin/node"
# A library that the root has stays its own.
ldd "$node" | awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | while IFS= read -r library; do
  [ -e "$debian$library" ] || { mkdir -p "$debian${library%/*}" && cp -L "$library" "$debian$library"; }
done
chroot "$debian" node --version >/dev/null || stop 'this Node does not start in Debian 12'

lay_busybox "$debian" "$WORK/out/node18/usr/bin/busybox" "$WORK/out/busybox" || stop 'the root with busybox could not be built'
rm "$WORK/out/node18/usr/bin/busybox"
work_done roots "$(node --version)" "$(roots_key)"
