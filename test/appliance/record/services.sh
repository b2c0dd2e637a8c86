#!/bin/bash
# What the programs of shares, exports and targets answer: `services.sh`, in the guest. A newcomer's trap: what other people made there is
# left alone, so names begin with rec and lists may show more.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
work=/var/tmp/rec-services
iqn=iqn.2026-01.test.edge-admin:rec
initiator=iqn.2026-01.test.edge-admin:someone
end() {
  for share in $(net conf listshares | grep '^rec'); do net conf delshare "$share"; done
  rm -f /etc/exports.d/rec*.exports
  exportfs -ra
  printf '%s\n' "/iscsi delete $iqn" '/backstores/fileio delete rec-file' '/backstores/block delete rec-block' exit | targetcli >/dev/null 2>&1
  [ -z "${loop:-}" ] || losetup -d "$loop"
  rm -rf "$work"
}
trap end EXIT
mkdir -p "$work/a share" "$work/b" "$work/c"

# ---- Samba's registry
rec list-empty net conf list
rec listshares-empty net conf listshares
rec showshare-none net conf showshare rec-nosuch
rec delshare-none net conf delshare rec-nosuch
rec getparm-none net conf getparm rec-nosuch path
rec addshare net conf addshare rec-a "$work/a share" writeable=y guest_ok=n "Anna's files; 50% €"
rec addshare-exists net conf addshare rec-a "$work/b"
rec addshare-path-relative net conf addshare rec-b relative
rec addshare-path-missing net conf addshare rec-b "$work/nosuch"
rec delshare-made net conf delshare rec-b
rec addshare-name-reserved net conf addshare global "$work/b"
rec addshare-name-character net conf addshare 'rec/b' "$work/b"
rec addshare-name-bracket net conf addshare 'rec]b' "$work/b"
rec addshare-name-percent net conf addshare 'rec%b' "$work/b"
net conf delshare 'rec%b' 2>/dev/null
net conf delshare 'rec/b' 2>/dev/null
net conf delshare 'rec]b' 2>/dev/null
rec setparm net conf setparm rec-a 'valid users' 'anna @staff'
rec setparm-unknown net conf setparm rec-a 'no such parameter' 1
rec setparm-value net conf setparm rec-a 'read only' perhaps
rec setparm-global-in-share net conf setparm rec-a workgroup GROUP
rec setparm-share-missing net conf setparm rec-c path "$work/c"
net conf delshare rec-c 2>/dev/null
rec setparm-own net conf setparm rec-a 'edge-admin:id' share-1
rec getparm net conf getparm rec-a 'valid users'
rec getparm-unset net conf getparm rec-a 'force user'
rec showshare net conf showshare rec-a
rec listshares net conf listshares
rec list net conf list
RECORD_INPUT=$'[rec-d]\n\tpath = '"$work/b"$'\n\tread only = no\n\tguest ok = yes\n\tedge-admin:id = share-2'
printf '%s\n' "$RECORD_INPUT" >"$work/import.conf"
rec import net conf import "$work/import.conf" rec-d
rec import-dry net conf import -T "$work/import.conf" rec-d
RECORD_INPUT=
rec showshare-imported net conf showshare rec-d
printf '[rec-e]\n\tno such parameter = 1\n\tpath = /srv\n' >"$work/bad.conf"
rec import-unknown-parameter net conf import "$work/bad.conf" rec-e
rec showshare-unknown-parameter net conf showshare rec-e
rec version net --version

# ---- testparm
conf() { printf '%s\n' '[global]' 'server role = standalone server' "$@" >"$work/smb.conf"; }
conf '[good]' "path = $work/b" 'read only = no' 'edge-admin:id = share-1'
rec good testparm -s "$work/smb.conf"
rec good-one-share testparm -s --section-name=good "$work/smb.conf"
conf '[odd]' 'no such parameter = 1' "path = $work/b"
rec unknown-parameter testparm -s "$work/smb.conf"
conf '[odd]' 'read only = perhaps' "path = $work/b"
rec bad-value testparm -s "$work/smb.conf"
conf '[odd' "path = $work/b"
rec bad-section testparm -s "$work/smb.conf"
conf 'security = nosuch'
rec bad-enum testparm -s "$work/smb.conf"
conf '[nopath]' 'read only = no'
rec no-path testparm -s "$work/smb.conf"
rec no-file testparm -s "$work/nosuch.conf"
rec registry testparm -s

# ---- exportfs
# A system that exports nothing by hand may lack the file, and exportfs complains.
touch /etc/exports
exports() { printf '%s\n' "$@" >/etc/exports.d/rec.exports; }
rec list-none exportfs -s
exports "$work/b 127.0.0.1(rw,sync,no_subtree_check,root_squash,fsid=11) 10.0.0.0/8(ro,no_subtree_check,fsid=11)" \
  "\"$work/a share\" *(ro,no_subtree_check,fsid=12)"
rec reload exportfs -ra
rec list-verbose exportfs -v
rec list exportfs -s
rec unexport exportfs -u "127.0.0.1:$work/b"
rec unexport-none exportfs -u "127.0.0.1:$work/nosuch"
rec list-verbose-after-unexport exportfs -v
rec export-one exportfs -o ro,no_subtree_check,fsid=13 "127.0.0.1:$work/c"
rec export-missing exportfs -o ro "127.0.0.1:$work/nosuch"
rec export-bad-option exportfs -o nosuch "127.0.0.1:$work/c"
exports "$work/b 127.0.0.1(rw,nosuch,fsid=11)"
rec reload-bad-option exportfs -ra
rec list-after-bad-option exportfs -s
exports "$work/nosuch 127.0.0.1(rw,no_subtree_check,fsid=11)"
rec reload-path-missing exportfs -ra
exports "$work/b 127.0.0.1(rw,no_subtree_check,fsid=11"
rec reload-no-bracket exportfs -ra
exports "relative 127.0.0.1(rw,no_subtree_check)"
rec reload-relative exportfs -ra
exports "$work/b no-such-host.invalid(rw,no_subtree_check,fsid=11)"
rec reload-unknown-host exportfs -ra
exports "$work/b 300.1.2.3/40(rw,no_subtree_check,fsid=11)"
rec reload-bad-address exportfs -ra
exports "/run 127.0.0.1(rw,no_subtree_check)"
rec reload-not-exportable exportfs -ra
exports "$work/b 127.0.0.1(rw,no_subtree_check,fsid=11)" "$work/b 127.0.0.1(ro,no_subtree_check,fsid=11)"
rec reload-twice exportfs -ra
rm /etc/exports.d/rec.exports
rec reload-empty exportfs -ra

# ---- targetcli, one batch on its standard input
batch() { # NAME LINE...
  local name=$1
  shift
  RECORD_INPUT=$(printf '%s\n' "$@" exit)
  rec "$name" targetcli
  RECORD_INPUT=
}
truncate -s 32M "$work/file" "$work/disk"
loop=$(losetup -f --show "$work/disk")
batch ls 'ls /'
rec ls-iscsi-argv targetcli ls /iscsi
batch create "/backstores/fileio create name=rec-file file_or_dev=$work/file" "/backstores/block create name=rec-block dev=$loop" \
  "/iscsi create $iqn" "/iscsi/$iqn/tpg1/luns create /backstores/block/rec-block lun=7" \
  "/iscsi/$iqn/tpg1/acls create $initiator add_mapped_luns=false" \
  "/iscsi/$iqn/tpg1/acls/$initiator create mapped_lun=7 tpg_lun_or_backstore=7" \
  "/iscsi/$iqn/tpg1/acls/$initiator set auth userid=anna password=secret-word-1" \
  "/iscsi/$iqn/tpg1 set attribute authentication=1 generate_node_acls=0"
batch ls-target "ls /iscsi/$iqn" "ls /backstores"
batch get-attributes "/iscsi/$iqn/tpg1 get attribute authentication" "/iscsi/$iqn/tpg1/acls/$initiator get auth"
batch create-target-exists "/iscsi create $iqn"
batch create-target-name '/iscsi create not-an-iqn'
batch create-backstore-exists "/backstores/block create name=rec-block dev=$loop"
batch create-backstore-in-use "/backstores/block create name=rec-other dev=$loop"
batch create-backstore-missing '/backstores/block create name=rec-other dev=/dev/nosuch'
batch create-backstore-not-a-device "/backstores/block create name=rec-other dev=$work/file"
batch create-lun-taken "/iscsi/$iqn/tpg1/luns create /backstores/fileio/rec-file lun=7"
batch create-lun-again "/iscsi/$iqn/tpg1/luns create /backstores/block/rec-block lun=8"
batch create-lun-missing-backstore "/iscsi/$iqn/tpg1/luns create /backstores/block/nosuch"
batch create-lun-number "/iscsi/$iqn/tpg1/luns create /backstores/fileio/rec-file lun=70000"
batch create-acl-exists "/iscsi/$iqn/tpg1/acls create $initiator"
batch create-acl-name "/iscsi/$iqn/tpg1/acls create nobody"
batch create-portal-taken "/iscsi/$iqn/tpg1/portals create 0.0.0.0 3260"
batch portals "ls /iscsi/$iqn/tpg1/portals" "/iscsi/$iqn/tpg1/portals delete 0.0.0.0 3260" "/iscsi/$iqn/tpg1/portals create 127.0.0.1 3261" \
  "ls /iscsi/$iqn/tpg1/portals"
batch create-portal-address "/iscsi/$iqn/tpg1/portals create 192.0.2.7 3260"
batch delete-backstore-in-use '/backstores/block delete rec-block'
batch delete-target-none '/iscsi delete iqn.2026-01.test.edge-admin:nosuch'
batch delete-lun-none "/iscsi/$iqn/tpg1/luns delete 99"
batch bad-path '/iscsi/nosuch/tpg1 ls'
batch bad-command '/iscsi frobnicate'
rec argv-error targetcli /iscsi delete iqn.2026-01.test.edge-admin:nosuch
batch saveconfig "saveconfig $work/saved.json"
cp "$work/saved.json" "$OUT/targetcli-$(version targetcli)/saveconfig.json"
batch delete-acl "/iscsi/$iqn/tpg1/acls delete $initiator"
batch delete-lun "/iscsi/$iqn/tpg1/luns delete 7"
batch delete-target "/iscsi delete $iqn"
batch delete-backstores '/backstores/fileio delete rec-file' '/backstores/block delete rec-block'
rec version targetcli --version
