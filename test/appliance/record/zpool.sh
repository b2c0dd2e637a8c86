#!/bin/bash
# What zpool answers, in every state that a test can bring about: `zpool.sh DISK1 DISK2 SCSI-DISK`, in the guest. A newcomer's trap: pools
# are named rec*, and a scan that shall be seen running is held by a parameter of the module for a moment.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
disk1=/dev/disk/by-id/$1 disk2=/dev/disk/by-id/$2 scsi=/dev/disk/by-id/$3
files=/var/tmp/rec away=/var/tmp/rec-away
scan_held=/sys/module/zfs/parameters/zfs_scan_suspend_progress
COLUMNS_OF_POOL=name,size,allocated,free,health,capacity,fragmentation,dedupratio,guid,altroot

end() {
  echo 0 >"$scan_held"
  zinject -c all >/dev/null 2>&1
  for pool in $(zpool list -H -o name | grep '^rec'); do zpool destroy -f "$pool"; done
  rm -rf "$files" "$away"
  for disk in "$disk1" "$disk2" "$scsi"; do
    zpool labelclear -f "$disk-part1" >/dev/null 2>&1
    wipefs -qa "$disk"
  done
}
trap end EXIT

# The same questions in each state: what a driver asks, and what a person would see.
state() { # NAME POOL
  rec "list-$1" zpool list -Hp -o "$COLUMNS_OF_POOL" "$2"
  rec "status-$1" zpool status -p "$2"
  rec "status-json-$1" zpool status -jp --json-int "$2"
}

# What should have been refused and was not must not be in the way of the next attempt.
rec_create() { # NAME ZPOOL-CREATE-ARGUMENT...
  rec "create-$1" zpool create "${@:2}"
  for pool in $(zpool list -H -o name | grep '^rec' | grep -vx reca); do zpool destroy -f "$pool"; done
}

mkdir -p "$files" "$away"
for n in 1 2 3 4 5 6 7; do truncate -s 128M "$files/f$n"; done
truncate -s 256M "$files/big"
truncate -s 32M "$files/small"

# ---- creating
rec list-no-such-pool zpool list -Hp -o "$COLUMNS_OF_POOL" nosuch
rec status-no-such-pool zpool status -j nosuch
rec create-dry-run zpool create -n reca mirror "$disk1" "$disk2"
rec create-mirror zpool create -o ashift=12 -O compression=lz4 -O atime=off reca mirror "$disk1" "$disk2"
rec_create name-taken reca "$files/f1"
rec_create device-missing recb /dev/disk/by-id/no-such-disk
rec_create file-missing recb "$files/no-such-file"
rec_create device-in-use recb "$disk1"
rec_create device-in-use-forced -f recb "$disk1"
rec_create device-twice recb mirror "$files/f1" "$files/f1"
rec_create device-mounted recb /dev/disk/by-id/virtio-root
rec_create too-small recb "$files/small"
rec_create mirror-of-one recb mirror "$files/f1"
rec_create raidz-of-one recb raidz "$files/f1"
rec_create raidz2-of-two recb raidz2 "$files/f1" "$files/f2"
rec_create raidz-unknown recb raidz9 "$files/f1" "$files/f2"
rec_create mixed-replication recb mirror "$files/f1" "$files/f2" raidz "$files/f3" "$files/f4" "$files/f5"
rec_create mixed-replication-forced -f recb mirror "$files/f1" "$files/f2" raidz2 "$files/f3" "$files/f4" "$files/f5"
rec_create mixed-replication-raidz recb mirror "$files/f1" "$files/f2" raidz2 "$files/f3" "$files/f4" "$files/f5"
rec_create mixed-sizes recb mirror "$files/f1" "$files/big"
rec_create only-log recb log "$files/f1"
rec_create no-devices recb
rec_create name-reserved mirror "$files/f1"
rec_create name-reserved-log log "$files/f1"
rec_create name-digit 1rec "$files/f1"
rec_create name-character 'rec%b' "$files/f1"
rec_create name-slash rec/b "$files/f1"
rec_create name-long "$(printf 'r%.0s' $(seq 256))" "$files/f1"
rec_create property-unknown -o nosuch=1 recb "$files/f1"
rec_create property-value -o ashift=99 recb "$files/f1"
rec_create property-readonly -o size=10 recb "$files/f1"
rec_create fs-property-unknown -O nosuch=1 recb "$files/f1"
rec_create fs-property-value -O compression=nosuch recb "$files/f1"
mkdir -p "$files/mountpoint" && touch "$files/mountpoint/file"
rec_create mountpoint-not-empty -m "$files/mountpoint" recb "$files/f1"
busybox mke2fs -F "$files/f7" >/dev/null 2>&1
rec_create holds-ext2 recb "$files/f7"
rec create-raidz zpool create recb raidz "$files/f1" "$files/f2" "$files/f3" log "$files/f4" cache "$scsi" spare "$files/f5"
state raidz recb
rec status-json-flat-raidz zpool status -jp --json-int --json-flat-vdevs recb
rec list-vdevs-raidz zpool list -HpvPL recb
state healthy reca
rec list-two zpool list -Hp -o "$COLUMNS_OF_POOL" reca recb
rec list-json zpool list -j --json-int reca recb
rec get-all zpool get -Hp all reca
rec get-some-json zpool get -j --json-int size,allocated,free,health,ashift reca
rec set-property-unknown zpool set nosuch=1 reca
rec set-property-readonly zpool set size=1 reca
rec set-property-value zpool set autotrim=perhaps reca
rec set-comment zpool set comment=hello reca
rec iostat zpool iostat -Hp reca recb
rec version-json zfs version -j

# ---- scanning
dd if=/dev/urandom of=/reca/data bs=1M count=64 status=none
zpool sync reca
rec scrub zpool scrub -w reca
state scrubbed reca
echo 1 >"$scan_held"
rec scrub-start zpool scrub reca
zpool sync reca
state scrubbing reca
rec scrub-again zpool scrub reca
rec scrub-pause zpool scrub -p reca
state scrub-paused reca
rec scrub-pause-again zpool scrub -p reca
rec scrub-resume zpool scrub reca
rec scrub-cancel zpool scrub -s reca
state scrub-cancelled reca
echo 0 >"$scan_held"
rec scrub-cancel-none zpool scrub -s reca
rec scrub-no-such-pool zpool scrub nosuch

# ---- losing a disk, and getting it back
rec offline zpool offline reca "${disk1##*/}"
state offline reca
rec offline-last zpool offline reca "${disk2##*/}"
rec offline-no-such-device zpool offline reca nosuch
dd if=/dev/urandom of=/reca/more bs=1M count=16 status=none
zpool sync reca
echo 1 >"$scan_held"
rec online zpool online reca "${disk1##*/}"
zpool sync reca
state resilvering reca
rec scrub-while-resilvering zpool scrub reca
echo 0 >"$scan_held"
zpool wait -t resilver reca
state resilvered reca
zpool remove recb "$scsi"
echo 1 >"$scan_held"
rec replace zpool replace reca "${disk1##*/}" "$scsi"
zpool sync reca
state replacing reca
echo 0 >"$scan_held"
zpool wait -t replace reca
rec replace-no-such-device zpool replace reca nosuch "$disk1"
rec replace-in-use zpool replace reca "${disk2##*/}" "$scsi"
rec replace-too-small zpool replace reca "${disk2##*/}" "$files/f6"
echo 1 >"/sys/block/$(basename "$(readlink -f "$scsi")")/device/delete"
dd if=/dev/urandom of=/reca/more bs=1M count=1 status=none
zpool sync reca
state removed reca
for host in /sys/class/scsi_host/host*; do echo '- - -' >"$host/scan"; done
udevadm settle
zpool online reca "${scsi##*/}"
zpool wait -t resilver reca
rec attach zpool attach -w recb "$files/f4" "$files/f6"
rec attach-to-raidz zpool attach recb "$files/f1" "$files/f7"
rec detach zpool detach recb "$files/f6"
rec detach-last zpool detach recb "$files/f1"
rec add-mismatched zpool add recb "$files/f6"
rec remove-raidz zpool remove recb raidz1-0

# ---- errors on a disk
zinject -d "${scsi##*/}" -e io -T all -f 100 reca >/dev/null
for n in 1 2 3 4; do
  echo "$n" >"/reca/x$n"
  zpool sync reca
done
zpool scrub -w reca
state errors reca
zinject -c all >/dev/null
zpool clear reca
zpool wait -t resilver reca
rec offline-forced zpool offline -f reca "${scsi##*/}"
state faulted reca
rec clear zpool clear reca
zpool wait -t resilver reca
rec clear-no-such-device zpool clear reca nosuch
zpool create recc "$files/f6"
dd if=/dev/urandom of=/recc/damaged bs=1M count=16 status=none
zpool sync recc
zinject -t data -e checksum -f 100 /recc/damaged >/dev/null
zpool scrub -w recc
state corrupt recc
rec status-verbose-corrupt zpool status -vp recc
rec status-json-verbose-corrupt zpool status -jvp --json-int recc
zinject -c all >/dev/null
zpool destroy recc

# ---- busy, destroyed, exported, imported
(cd /reca && rec destroy-busy zpool destroy reca)
rec destroy-no-such-pool zpool destroy nosuch
(cd /reca && rec export-busy zpool export reca)
rec export-no-such-pool zpool export nosuch
rec export zpool export recb
rec create-device-of-exported-pool zpool create recd "$files/f2"
rec import-list zpool import -d "$files"
mv "$files/f3" "$away/f3"
rec import-list-degraded zpool import -d "$files"
mv "$files/f2" "$away/f2"
rec import-list-unavailable zpool import -d "$files"
rec import-unavailable zpool import -d "$files" recb
mv "$away/f2" "$files/f2"
rec import-list-none zpool import -d "$files/mountpoint"
rec import-no-such-pool zpool import -d "$files" nosuch
rec import-name-taken zpool import -d "$files" recb reca
rec import-name-reserved zpool import -d "$files" recb mirror
rec import-already-imported zpool import -d /dev/disk/by-id reca
rec import-degraded zpool import -d "$files" recb
state missing recb
zpool replace recb "$(zpool status recb | sed -n 's/^[[:space:]]*\([0-9]\{6,\}\).* was .*/\1/p')" "$files/f5"
zpool wait -t replace recb
state spare recb
echo 1 >"$scan_held"
zpool scrub recb
rec destroy-scrubbing zpool destroy recb
echo 0 >"$scan_held"
rec import-list-destroyed zpool import -D -d "$files"
rec import-by-id-none zpool import -d /dev/disk/by-id -o cachefile=none nosuch
