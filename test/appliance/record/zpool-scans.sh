#!/bin/bash
# What `zpool status` answers of scans that are no plain scrub, as text and as JSON of the same moment: `zpool-scans.sh`, in the guest, on files.
# A scan is caught in the middle by a parameter of the module that holds it.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
files=/var/tmp/rec
parameters=/sys/module/zfs/parameters

set_to() { [ ! -e "$parameters/$1" ] || echo "$2" >"$parameters/$1"; } # PARAMETER VALUE
end() {
  zinject -c all >/dev/null 2>&1
  set_to zfs_scan_suspend_progress 0
  set_to zfs_rebuild_scrub_enabled 1
  for pool in $(zpool list -H -o name | grep '^rec'); do timeout 60 zpool destroy -f "$pool"; done
  umount "$files"
  rm -rf "$files"
}
trap end EXIT

state() { # NAME POOL
  rec "status-$1" zpool status -p "$2"
  rec "status-json-$1" zpool status -jp --json-int "$2"
}
fill() { # POOL MEGABYTES
  dd if=/dev/urandom of="/$1/data" bs=1M count="$2" status=none
  zpool sync "$1"
}
# Lets it go on for a moment, until it is neither at its beginning nor at its end.
middle() { # POOL
  for _ in $(seq 10); do
    set_to zfs_scan_suspend_progress 0
    sleep 0.02
    set_to zfs_scan_suspend_progress 1
    middle_at=$(zpool status "$1" | sed -n 's/.* \([0-9]*\)\.[0-9]*% done.*/\1/p' | tail -n 1)
    [ "${middle_at:-0}" -lt 1 ] || return 0
  done
}

mkdir -p "$files"
# The guest's own disk has no room for what is written here.
mount -t tmpfs -o size=1g tmpfs "$files"
for n in 1 2 3 4 5 6 7 8; do truncate -s 256M "$files/f$n"; done

# ---- sequential resilvers of a mirror
set_to zfs_rebuild_scrub_enabled 0
zpool create -f rece mirror "$files/f1" "$files/f2"
fill rece 60
zpool scrub -w rece
zinject -d "$files/f3" -D 20:1 rece >/dev/null 2>&1
set_to zfs_scan_suspend_progress 1
rec attach-sequential zpool attach -s rece "$files/f2" "$files/f3"
zinject -d "$files/f3" -D 20:1 rece >/dev/null
state rebuild-begun rece
middle rece
state rebuild-running rece
zpool detach rece "$files/f3"
sleep 1
state rebuild-cancelled rece
set_to zfs_scan_suspend_progress 0
zinject -c all >/dev/null
zpool attach -f -s -w rece "$files/f2" "$files/f3"
state rebuild-finished rece
set_to zfs_rebuild_scrub_enabled 1
zpool detach rece "$files/f3"
zpool attach -f -s -w rece "$files/f2" "$files/f3"
zpool wait -t scrub rece
state rebuild-and-scrub rece
set_to zfs_scan_suspend_progress 1
zpool scrub rece
state rebuild-and-scrub-running rece
zpool scrub -p rece
state rebuild-and-scrub-paused rece
zpool scrub -s rece
set_to zfs_scan_suspend_progress 0

# ---- a replacement, in one pass
set_to zfs_rebuild_scrub_enabled 0
zpool detach rece "$files/f3"
set_to zfs_scan_suspend_progress 1
zpool replace -f -s rece "$files/f1" "$files/f7"
state rebuild-replacing rece
set_to zfs_scan_suspend_progress 0
zpool wait -t resilver,replace rece
state rebuild-replaced rece
zpool destroy rece

# ---- dRAID
zpool create -f rece draid1:2d:5c:1s "$files/f1" "$files/f2" "$files/f3" "$files/f4" "$files/f5"
fill rece 60
state draid rece
set_to zfs_scan_suspend_progress 1
zpool offline -f rece "$files/f2"
rec replace-distributed zpool replace rece "$files/f2" draid1-0-0
state draid-begun rece
zinject -d draid1-0-0 -D 20:1 rece >/dev/null 2>&1 || zinject -d "$files/f3" -D 20:1 rece >/dev/null
middle rece
state draid-rebuilding rece
zinject -c all >/dev/null
set_to zfs_scan_suspend_progress 0
zpool wait -t resilver rece
state draid-rebuilt rece
set_to zfs_scan_suspend_progress 1
zpool replace -f rece "$files/f2" "$files/f6"
zpool sync rece
state draid-replacing rece
set_to zfs_scan_suspend_progress 0
zpool wait -t replace rece
state draid-replaced rece
zpool destroy rece
