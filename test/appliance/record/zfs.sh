#!/bin/bash
# What zfs answers: `zfs.sh DISK`, in the guest. A newcomer's trap: messages go with the state in which they came; see the line above each.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
disk=/dev/disk/by-id/$1
end() {
  zpool destroy -f recz
  wipefs -qa "$disk"
}
trap end EXIT
zpool create -f -o ashift=12 -O compression=lz4 recz "$disk"

# ---- creating
rec create-filesystem zfs create -o edge-admin:id=ds-1 -o "edge-admin:label=Anna's files: 50% €" recz/data
rec create-child zfs create -o quota=64M -o recordsize=1M recz/data/anna
rec create-parents zfs create -p recz/deep/er/still
rec create-volume zfs create -V 64M -o volblocksize=16k recz/vol
rec create-volume-sparse zfs create -s -V 128M recz/thin
rec create-exists zfs create recz/data
rec create-exists-volume zfs create -V 64M recz/data
rec create-parent-missing zfs create recz/no/such
rec create-parent-is-volume zfs create recz/vol/child
rec create-pool-missing zfs create nosuch/data
rec create-name-character zfs create 'recz/da%ta'
rec create-name-empty zfs create recz//data
rec create-name-trailing zfs create recz/data/
rec create-name-dots zfs create recz/../data
rec create-name-snapshot zfs create recz/data@snap
rec create-name-long zfs create "recz/$(printf 'r%.0s' $(seq 260))"
rec create-property-unknown zfs create -o nosuch=1 recz/b
rec create-property-value zfs create -o compression=nosuch recz/b
rec create-property-readonly zfs create -o used=1 recz/b
rec create-property-quota zfs create -o quota=ten recz/b
rec create-property-recordsize zfs create -o recordsize=3000 recz/b
rec create-property-of-volume zfs create -o volsize=1M recz/b
rec create-property-mountpoint zfs create -o mountpoint=relative recz/b
rec create-user-property-long zfs create -o "edge-admin:label=$(printf 'x%.0s' $(seq 8200))" recz/b
rec create-volume-too-big zfs create -V 1T recz/huge
rec create-volume-size zfs create -V 10Q recz/huge
rec create-volume-size-odd zfs create -V 1000 recz/huge
zfs destroy recz/huge
rec create-volume-blocksize zfs create -V 64M -o volblocksize=3000 recz/huge
rec create-volume-sparse-too-big zfs create -s -V 9E recz/huge
rec create-reservation-too-big zfs create -o reservation=1T recz/b

# ---- snapshots, holds, clones
echo one >/recz/data/anna/file
rec snapshot zfs snapshot recz/data/anna@one
rec snapshot-exists zfs snapshot recz/data/anna@one
rec snapshot-dataset-missing zfs snapshot recz/nosuch@one
rec snapshot-name-character zfs snapshot 'recz/data@a b'
rec snapshot-name-empty zfs snapshot recz/data@
rec snapshot-with-property zfs snapshot -o edge-admin:policy=p-1 recz/data/anna@two
rec snapshot-recursive zfs snapshot -r recz/data@all
rec rollback-newer-snapshots zfs rollback recz/data/anna@one
rec rollback-no-such-snapshot zfs rollback recz/data/anna@nosuch
rec rollback-dry-newer zfs list -Hp -t snapshot -o name,createtxg -s createtxg recz/data/anna
rec hold zfs hold keep recz/data/anna@one
rec hold-again zfs hold keep recz/data/anna@one
rec hold-no-such-snapshot zfs hold keep recz/data/anna@nosuch
rec holds zfs holds -Hp recz/data/anna@one recz/data/anna@two
rec holds-none zfs holds -Hp recz/data/anna@two
rec destroy-held zfs destroy recz/data/anna@one
rec destroy-held-defer-dry zfs destroy -nvp recz/data/anna@one
rec release-no-such-tag zfs release other recz/data/anna@one
rec clone zfs clone recz/data/anna@two recz/clone
rec clone-exists zfs clone recz/data/anna@two recz/clone
rec clone-no-such-snapshot zfs clone recz/data/anna@nosuch recz/clone2
rec destroy-has-clones zfs destroy recz/data/anna@two
rec destroy-has-clones-dry zfs destroy -nvp recz/data/anna@two
rec destroy-has-clones-recursive-dry zfs destroy -Rnvp recz/data/anna@two
rec rollback-newer-has-clones zfs rollback -r recz/data/anna@one
rec get-clones zfs get -Hp -o name,value clones recz/data/anna@two
rec get-origin zfs get -Hp -o name,value origin recz/clone
rec release zfs release keep recz/data/anna@one
rec promote zfs promote recz/clone
rec promote-not-a-clone zfs promote recz/data
zfs promote recz/data/anna
zfs destroy recz/clone
# Not all or nothing: what comes before the held snapshot is gone.
zfs create -p recz/held/inner
zfs snapshot recz/held/inner@one
zfs snapshot recz/held/inner@two
zfs snapshot recz/held/inner@three
zfs hold keep recz/held/inner@two
rec rollback-newer-held zfs rollback -r recz/held/inner@one
rec list-after-rollback-newer-held zfs list -Hp -t snapshot -o name -r recz/held
rec destroy-child-held zfs destroy -r recz/held
rec list-after-destroy-child-held zfs list -Hp -t all -o name -r recz/held
rec destroy-child-held-dry zfs destroy -rnvp recz/held
zfs release keep recz/held/inner@two
zfs destroy -r recz/held

# ---- looking
COLUMNS_OF_DATASET=name,type,used,available,referenced,mountpoint,mounted,creation,quota,reservation,recordsize,volsize,compression,compressratio,readonly,origin,guid,edge-admin:id,edge-admin:label
rec list-all zfs list -Hp -t filesystem,volume -r -o "$COLUMNS_OF_DATASET" recz
rec list-one zfs list -Hp -o "$COLUMNS_OF_DATASET" recz/data
rec list-volume zfs list -Hp -t volume -r -o name,used,volsize,referenced,volblocksize,refreservation recz
rec list-filesystems-of-volume zfs list -Hp -t filesystem -r -o name recz/vol
rec list-volumes-of-filesystem zfs list -Hp -t volume -o name recz/data
rec list-snapshots zfs list -Hp -t snapshot -r -o name,used,referenced,creation,userrefs,clones,guid,createtxg,edge-admin:policy recz
rec list-json zfs list -jp --json-int -t all -r -o name,type,used,edge-admin:id recz
rec list-no-such-dataset zfs list -Hp recz/nosuch
rec list-no-such-pool zfs list -Hp nosuch
rec list-wrong-type zfs list -Hp -t snapshot recz/data@nosuch
rec list-none zfs list -Hp -t snapshot -r recz/vol
rec list-bad-column zfs list -Hp -o name,nosuch recz
rec get-all zfs get -Hp all recz/data/anna
rec get-all-volume zfs get -Hp all recz/vol
rec get-all-snapshot zfs get -Hp all recz/data/anna@two
rec get-some zfs get -Hp -o name,property,value,source used,available,quota,edge-admin:id recz/data recz/data/anna
# Without a UTF-8 locale the output ends at the first other character, and the exit status is 0.
rec get-json-cut zfs get -jp --json-int edge-admin:label recz/data
LC_ALL=C.UTF-8 rec get-json zfs get -jp --json-int used,quota,edge-admin:label recz/data
rec get-no-such-dataset zfs get -Hp used recz/nosuch

# ---- changing
rec set zfs set quota=32M edge-admin:label=two recz/data/anna
rec set-unknown zfs set nosuch=1 recz/data
rec set-value zfs set atime=perhaps recz/data
rec set-readonly zfs set used=1 recz/data
rec set-quota-below-used zfs set quota=1K recz/data/anna
rec set-volsize-smaller zfs set volsize=32M recz/vol
rec set-volsize zfs set volsize=128M recz/vol
rec set-volsize-odd zfs set volsize=1000 recz/vol
rec set-volsize-too-big zfs set volsize=1T recz/vol
rec set-no-such-dataset zfs set atime=off recz/nosuch
# Never a folder of the system here: ZFS mounts over whatever is there, /usr included, without a word.
mkdir -p /tmp/not-empty/folder
rec set-mountpoint-not-empty zfs set mountpoint=/tmp/not-empty recz/deep
zfs inherit mountpoint recz/deep
rec inherit zfs inherit edge-admin:label recz/data/anna
rec inherit-readonly zfs inherit used recz/data
rec rename zfs rename recz/deep/er recz/deep/est
rec rename-exists zfs rename recz/deep recz/data
rec rename-into-itself zfs rename recz/deep recz/deep/inside
rec rename-snapshot zfs rename recz/data/anna@two recz/data/anna@three

# ---- going
rec destroy-has-children zfs destroy recz/data
rec destroy-has-snapshots zfs destroy recz/data/anna
rec destroy-recursive-dry zfs destroy -rnvp recz/data
rec destroy-snapshot-dry zfs destroy -nvp recz/data/anna@one
rec destroy-snapshot zfs destroy recz/data/anna@one
rec destroy-no-such-snapshot zfs destroy recz/data/anna@one
rec destroy-no-such-dataset zfs destroy recz/nosuch
rec destroy-pool-root zfs destroy recz
rec destroy-pool-root-recursive-dry zfs destroy -rnvp recz
(cd /recz/deep/est/still && rec destroy-busy zfs destroy -r recz/deep)
udevadm settle
exec 8</dev/zvol/recz/vol
rec destroy-volume-busy zfs destroy recz/vol
exec 8<&-
rec destroy-recursive zfs destroy -r recz/data
(cd /recz && rec unmount-busy zfs unmount recz)
# ---- a full pool, a full quota
zfs create -o quota=2M recz/tight
dd if=/dev/urandom of=/recz/tight/file bs=1M count=8 2>/dev/null
rec snapshot-over-quota zfs snapshot recz/tight@full
zfs set quota=none recz/tight
zfs create -o refreservation=none recz/fill
dd if=/dev/urandom of=/recz/fill/file bs=4M 2>/dev/null
zpool sync recz
rec create-pool-full zfs create recz/one-more
rec snapshot-pool-full zfs snapshot recz/fill@full
rec create-volume-pool-full zfs create -V 64M recz/volume
rec set-pool-full zfs set edge-admin:label=full recz/fill
rec list-pool-full zfs list -Hp -o name,used,available recz
