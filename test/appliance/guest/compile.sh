#!/bin/sh
# In the throw-away Debian of build-kernel.sh: compiles ZFS for the kernel whose headers are installed and gathers what the guest loads. A
# newcomer's trap: the running kernel is another one, so every tool is told which version is meant.
set -eu
cd /root
mkdir -p out kernel zfs
for folder in /lib/modules/*; do version=${folder##*/}; done
apt-get -qq download zfs-dkms "linux-image-$version"
dpkg-deb -x linux-image-*.deb kernel
dpkg-deb -x zfs-dkms_*.deb zfs
rm -f ./*.deb

# The headers bring a kernel that holds nothing but type information. Without debugging information in the modules the step that reads it fails,
# and configure then calls the kernel one without modules.
rm -f /usr/src/linux-headers-*/vmlinux
quietly() { "$@" >/root/log 2>&1 || { tail -n 30 /root/log >&2; exit 1; }; }
(
  cd zfs/usr/src/zfs-*
  export KCFLAGS=-g0 CONFIG_SHELL=/bin/sh
  quietly ./configure --disable-dependency-tracking --with-config=kernel --with-linux="$(readlink -f "/lib/modules/$version/source")" \
    --with-linux-obj="$(readlink -f "/lib/modules/$version/build")"
  quietly make -j"$(nproc)"
)
source=$(echo zfs/usr/src/zfs-*)
echo "$version-zfs-${source##*/zfs-}" >out/versions

# ---- the modules that a storage appliance loads, and what those need. Not compressed: unpacking costs more than reading, in emulation.
modules=kernel/usr/lib/modules/$version
mkdir "$modules/extra"
find "$source/module" -name '*.ko' -exec strip --strip-debug {} \; -exec cp {} "$modules/extra/" \;
depmod -b kernel/usr "$version"
(
  cd "$modules"
  for folder in extra kernel/arch kernel/crypto kernel/lib kernel/block kernel/net/9p kernel/net/8021q kernel/net/bridge kernel/net/core \
    kernel/net/802 kernel/net/llc kernel/net/ipv4 kernel/net/ipv6 kernel/net/netfilter kernel/net/sched kernel/net/sunrpc kernel/net/tls kernel/net/packet \
    kernel/net/unix kernel/fs/9p kernel/fs/netfs kernel/fs/autofs kernel/fs/configfs kernel/fs/ext4 kernel/fs/jbd2 kernel/fs/fat kernel/fs/fuse \
    kernel/fs/lockd kernel/fs/nfs kernel/fs/nfs_common kernel/fs/nfsd kernel/fs/nls kernel/fs/overlayfs kernel/fs/xfs kernel/drivers/block \
    kernel/drivers/md kernel/drivers/net/bonding kernel/drivers/net/vxlan kernel/drivers/nvme kernel/drivers/target kernel/drivers/virtio \
    kernel/drivers/char/hw_random/virtio-rng.ko.xz kernel/drivers/net/virtio_net.ko.xz kernel/drivers/net/net_failover.ko.xz \
    kernel/drivers/net/dummy.ko.xz kernel/drivers/net/veth.ko.xz kernel/drivers/net/tun.ko.xz kernel/drivers/scsi/virtio_scsi.ko.xz \
    kernel/drivers/scsi/sd_mod.ko.xz kernel/drivers/scsi/sg.ko.xz kernel/drivers/scsi/iscsi_tcp.ko.xz; do
    [ ! -e "$folder" ] || find "$folder" -name '*.ko*'
  done | sort -u >/root/wanted
  awk 'NR == FNR { want[$1 ":"] = 1; next } $1 in want { sub(":", "", $1); for (i = 1; i <= NF; i++) print $i }' /root/wanted modules.dep |
    sort -u >/root/needed
  mkdir -p "/root/tree/lib/modules/$version"
  printf '%s\n' modules.order modules.builtin modules.builtin.modinfo >>/root/needed
  xargs cp --parents -t "/root/tree/lib/modules/$version" </root/needed
)
find tree -name '*.xz' -print0 | xargs -0 -r -P "$(nproc)" -n 64 xz -d
depmod -b tree "$version"
tar -C tree -cf out/modules.tar lib

# ---- the kernel itself, unpacked
image=$(echo kernel/boot/vmlinuz-*)
offset=$(LC_ALL=C grep -abo "$(printf '(\265/\375')" "$image" | head -n 1 | cut -d : -f 1)
# What follows the compressed kernel is not its compressor's, and that one says so.
tail -c "+$((offset + 1))" "$image" | zstd -dcq >out/vmlinux 2>/dev/null || :
[ "$(head -c 4 out/vmlinux | tail -c 3)" = ELF ]

# ---- the first file system: as much as it takes to find the disk
mkdir -p first/bin first/dev first/proc first/sys first/root first/modules
cp /bin/busybox first/bin/
cp initrd first/init
chmod 755 first/init
number=100
for module in virtio_pci virtio_blk ext4 crc32c_intel; do modprobe -d tree -S "$version" --show-depends "$module" 2>/dev/null || :; done |
  awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r file; do
  cp "$file" "first/modules/$number-${file##*/}"
  number=$((number + 1))
done
mknod first/dev/console c 5 1
(cd first && find . | cpio -o -H newc --quiet | gzip -1) >out/initrd.img
