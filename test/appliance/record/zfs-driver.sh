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

# src/drivers/zfs-lines.ts asks behind the others for a property that nobody has; in the tests it is called this.
end=edge-admin:end-recorded
row=name,property,source,value
dataset=type,used,available,volsize,creation,mountpoint,$end
member=name,type,guid,createtxg,userrefs,clones
marked=createtxg,userrefs,clones,edge-admin:snapshot,$end
rec driver-datasets zfs get -Hp -t filesystem,volume -r -o "$row" "$dataset" "$pool"
rec driver-datasets-missing zfs get -Hp -t filesystem,volume -r -o "$row" "$dataset" nosuch
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
rec driver-local zfs get -Hp -t filesystem,volume -o "$row" "edge-admin:policy,$end"
rec driver-marked zfs get -Hp -t snapshot -d 1 -o "$row" "$marked" "$pool/data" "$pool/data/child"
rec driver-marked-missing zfs get -Hp -t snapshot -d 1 -o "$row" "$marked" "$pool/data" "$pool/nosuch"
rec driver-mounted zfs get -Hp -t filesystem,volume -r -o "$row" "mounted,mountpoint,$end" "$pool"

# ---- values with tabs and line ends, and a mark that is not a snapshot's own
odd=$pool/odd
zfs create -o mountpoint="$(printf '/mnt/odd\tplace\nand more')" "$odd"
zfs create "$odd/child"
zfs create -o edge-admin:snapshot=hourly "$pool/marked"
zfs set "edge-admin:policy=$(printf 'a\tb\nrecd/odd/child\tedge-admin:policy\tlocal\thourly=9')" "$odd"
zfs snapshot -o "edge-admin:snapshot=$(printf 'a\tb\nc')" "$odd@one"
zfs snapshot "$pool/marked@hourly-20200101-000000"
zfs snapshot -o edge-admin:snapshot=hourly "$pool/marked@hourly-20200102-000000"
zfs hold "$(printf 'a\tb\nc')" "$odd@one"
zpool sync "$pool"
rec driver-datasets-odd zfs get -Hp -t filesystem,volume -r -o "$row" "$dataset" "$odd"
rec driver-mounted-odd zfs get -Hp -t filesystem,volume -r -o "$row" "mounted,mountpoint,$end" "$odd"
rec driver-local-odd zfs get -Hp -t filesystem,volume -r -o "$row" "edge-admin:policy,$end" "$odd"
rec driver-marked-odd zfs get -Hp -t snapshot -d 1 -o "$row" "$marked" "$odd" "$pool/marked"
rec driver-holds-odd zfs holds -H "$odd@one"

# ---- what only its refusals tell
rec driver-inherit-quota zfs inherit quota "$pool/data"
rec driver-destroy-range zfs destroy "$pool/data@hourly-20261121-090000%three"
rec driver-destroy-range-held zfs destroy "$pool/data@one%hourly-20261121-090000"
rec driver-create-mountpoint zfs create -o mountpoint=/proc/nosuch "$pool/bad"
