#!/bin/bash
# What zfs answers to the very commands of src/drivers/zfs.ts: `zfs-driver.sh DISK`, in the guest. A newcomer's trap: the disk is wiped.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
pool=recd
end() { zpool destroy -f "$pool" 2>/dev/null; }
trap end EXIT
zpool create -f -O mountpoint=/mnt/recd "$pool" "$1" || exit
zfs create -o quota=64M -o edge-admin:policy=hourly=1 -o 'acme:note=two words, ü' "$pool/data"
zfs create "$pool/data/child"
zfs create -o mountpoint=none "$pool/none"
zfs create -V 16M "$pool/volume"
zfs snapshot "$pool/data@one"
zfs snapshot -o edge-admin:snapshot=hourly "$pool/data@hourly-20261121-090000"
zfs snapshot "$pool/data@three"
zfs bookmark "$pool/data@one" "$pool/data#mark"
zfs hold backup "$pool/data@one"
zfs hold audit "$pool/data@one"
zfs clone "$pool/data@three" "$pool/copy"
zfs clone "$pool/data@three" "$pool/other"
zpool sync "$pool"

columns=name,type,used,available,volsize,mountpoint,creation
member=name,type,createtxg,userrefs,clones
marked=name,createtxg,userrefs,clones,edge-admin:snapshot
rec driver-datasets zfs list -Hp -t filesystem,volume -o "$columns" -r "$pool"
rec driver-datasets-missing zfs list -Hp -t filesystem,volume -o "$columns" -r nosuch
rec driver-snapshots zfs list -Hp -t snapshot -o name,used,creation -d 1 "$pool/data"
rec driver-snapshots-deep zfs list -Hp -t snapshot -o name,used,creation -r "$pool"
rec driver-snapshots-missing zfs list -Hp -t snapshot -o name,used,creation -d 1 "$pool/nosuch"
rec driver-get zfs get -Hp -o property,value,source all "$pool/data"
rec driver-get-volume zfs get -Hp -o property,value,source all "$pool/volume"
rec driver-get-snapshot zfs get -Hp -o property,value,source all "$pool/data@one"
rec driver-get-clone zfs get -Hp -o property,value,source all "$pool/copy"
rec driver-get-missing zfs get -Hp -o property,value,source all "$pool/nosuch"
rec driver-tree zfs list -Hp -o "$member" -t all -r "$pool/data"
rec driver-tree-missing zfs list -Hp -o "$member" -t all -r "$pool/nosuch"
rec driver-history zfs list -Hp -o "$member" -t snapshot,bookmark -d 1 "$pool/data"
rec driver-holds zfs holds -H "$pool/data@one"
rec driver-local zfs get -Hp -s local -t filesystem,volume -o name,value edge-admin:policy
rec driver-marked zfs list -Hp -t snapshot -d 1 -o "$marked" "$pool/data" "$pool/data/child"
rec driver-marked-missing zfs list -Hp -t snapshot -d 1 -o "$marked" "$pool/data" "$pool/nosuch"

# ---- what only its refusals tell
rec driver-inherit-quota zfs inherit quota "$pool/data"
rec driver-destroy-range zfs destroy "$pool/data@hourly-20261121-090000%three"
rec driver-destroy-range-held zfs destroy "$pool/data@one%hourly-20261121-090000"
rec driver-create-mountpoint zfs create -o mountpoint=/proc/nosuch "$pool/bad"
