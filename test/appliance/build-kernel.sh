#!/bin/sh
# Debian's own kernel for the guest, with ZFS compiled for it, without running it: vmlinux, initrd.img, modules.tar. A newcomer's trap: the
# compiler works in a throw-away Debian of the guest's suite, never on this system.
set -eu
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
key=$(kernel_key)
! finished kernel "$key" >/dev/null || exit 0
work_begin
note 'building the kernel modules (once, about three minutes)'
# shellcheck disable=SC2016 # $1 is mmdebstrap's
bootstrap --variant=minbase --include=linux-headers-amd64,make,gcc,libc6-dev,bc,file,perl,kmod,xz-utils,zstd,mawk,busybox-static,cpio \
  --customize-hook="copy-in '$rig/guest/compile.sh' '$rig/guest/initrd' /root" \
  --customize-hook='chroot "$1" sh /root/compile.sh' \
  --customize-hook="sync-out /root/out '$WORK/out'" \
  "$SUITE" "$WORK/root" "$(mirror)" || stop 'the kernel modules could not be built'
read -r versions <"$WORK/out/versions"
work_done kernel "$versions" "$key"
