#!/bin/sh
# The guest's root disk: a small Debian with the storage programs, this machine's own node and the rig's agent. A newcomer's trap: the product is
# not in it; a guest gets it when it boots, so that a changed source needs no new image.
set -eu
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
key=$(image_key)
! finished image "$key" >/dev/null || exit 0
kernel=$(finished kernel "$(kernel_key)") || stop 'the kernel comes first'
work_begin
note 'building the image (once, about a minute)'
packages=systemd-sysv,udev,dbus,kmod,procps,iproute2,iputils-ping,util-linux,mawk,tar,gzip,xz-utils,openssl,curl,ca-certificates,e2fsprogs
packages=$packages,zfsutils-linux,zfs-zed,sanoid,lzop,mbuffer,pv,samba,smbclient,nfs-kernel-server,nfs-common,targetcli-fb,open-iscsi,nvme-cli
packages=$packages,xfsprogs,acl,attr,gdisk,jq,lsof,psmisc,nftables,busybox-static,dash,sudo,systemd-timesyncd,smartmontools,ledmon
# zinject alone: its package brings a whole test suite.
cat >"$WORK/zinject.sh" <<'END'
cd /tmp
apt-get -qq download zfs-test
dpkg-deb -x zfs-test_*.deb tests
find tests -name zinject -type f -exec install -m 755 {} /usr/local/sbin/ \;
rm -rf tests zfs-test_*
END
# shellcheck disable=SC2016 # $1 is mmdebstrap's
bootstrap --variant=minbase --include="$packages" \
  --customize-hook="copy-in '$WORK/zinject.sh' /tmp" --customize-hook='chroot "$1" sh -e /tmp/zinject.sh' \
  --customize-hook="tar-in '$kernel/modules.tar' /usr" \
  --customize-hook="copy-in '$rig/guest/rig.service' /etc/systemd/system" \
  --customize-hook="copy-in '$rig/guest/setup.sh' /tmp" --customize-hook='chroot "$1" sh -eu /tmp/setup.sh' \
  "$SUITE" "$WORK/root" "$(mirror)" || stop 'the image could not be built'
root=$WORK/root
install -m 755 "$(readlink -f "$(command -v node)")" "$root/usr/local/bin/node"
install -m 644 "$rig/guest/agent.mjs" "$root/usr/local/lib/rig-agent.mjs"
install -m 644 "$rig/guest/rig.network" "$root/etc/systemd/network/05-rig.network"
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/tmp/*
echo appliance >"$root/etc/hostname"
printf '127.0.0.1 localhost appliance\n::1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/fstab"
touch "$root/etc/exports"
mkdir -p "$root/rig" "$root/checkout" "$root/etc/exports.d" "$root/etc/nfs.conf.d"
# Without clients that could come back, nobody has to be waited for.
printf '[nfsd]\ngrace-time=10\nlease-time=10\n' >"$root/etc/nfs.conf.d/rig.conf"
printf '[global]\n\tconfig backend = registry\n\tserver role = standalone server\n\tdisable spoolss = yes\n\tload printers = no\n' >"$root/etc/samba/smb.conf"
size=$(du -sm "$root" | cut -f 1)
truncate -s "$((size * 12 / 10 + 900))M" "$WORK/out/root.img"
mkfs.ext4 -q -F -L root -m 0 -d "$root" "$WORK/out/root.img"
cp "$kernel/vmlinux" "$kernel/initrd.img" "$WORK/out/"
versions=${kernel#"$CACHE/kernel-$SUITE-"}
work_done image "${versions%-*}" "$key"
