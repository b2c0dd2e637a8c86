#!/bin/bash
# What zpool answers when the devices of a pool are changed: replaced, attached, detached, added, removed, trimmed, upgraded; `zpool-devices.sh`,
# in the guest, on files. Work that shall be seen running is held by a parameter of the module for a moment.
set -u
here=$(dirname -- "$0")
# shellcheck source=recorder.sh
. "$here/recorder.sh"
files=/var/tmp/rec
parameters=/sys/module/zfs/parameters

set_to() { [ ! -e "$parameters/$1" ] || echo "$2" >"$parameters/$1"; } # PARAMETER VALUE
end() {
  for name in zfs_scan_suspend_progress zfs_removal_suspend_progress raidz_expand_max_reflow_bytes; do set_to "$name" 0; done
  for pool in $(zpool list -H -o name | grep '^rec'); do timeout 60 zpool destroy -f "$pool"; done
  umount "$files"
  rm -rf "$files"
}
trap end EXIT

state() { # NAME POOL
  rec "status-$1" zpool status -p "$2"
  rec "status-guids-$1" zpool status -gp "$2"
  rec "status-paths-$1" zpool status -Pp "$2"
  rec "status-trim-$1" zpool status -tp "$2"
  rec "status-json-$1" zpool status -jp --json-int "$2"
}
fill() { # POOL MEGABYTES
  dd if=/dev/urandom of="/$1/data$RANDOM" bs=1M count="$2" status=none
  zpool sync "$1"
}

mkdir -p "$files"
mount -t tmpfs -o size=1500m tmpfs "$files"
for n in $(seq 20); do truncate -s 256M "$files/f$n"; done
truncate -s 200M "$files/less"
truncate -s 512M "$files/big"
f() { for n; do printf '%s ' "$files/f$n"; done; }

# ---- a pool with every class
# shellcheck disable=SC2046
zpool create recf raidz $(f 1 2 3) log $(f 4) cache $(f 5) spare $(f 6) special mirror $(f 7 8)
state classes recf
# shellcheck disable=SC2046
rec add-dry-run zpool add -n recf raidz $(f 9 10 11) log $(f 12) cache $(f 13) spare $(f 14) special mirror $(f 15 16) dedup mirror $(f 17 18)
rec add-in-use zpool add recf spare "$files/f1"
rec add-sizes zpool add recf raidz "$files/f9" "$files/f10" "$files/big"
rec add-width zpool add -n recf raidz "$files/f9" "$files/f10" "$files/f11" "$files/f12"
rec add-mismatched-forced zpool add -n -f recf mirror "$files/f9" "$files/f10"
rec add-no-such-pool zpool add nosuch "$files/f9"
rec add-draid-wrong zpool add -n recf draid2:8d "$files/f9" "$files/f10" "$files/f11"
rec offline-cache zpool offline recf "$files/f5"
rec offline-spare zpool offline recf "$files/f6"
rec offline-log zpool offline recf "$files/f4"
state offline-log recf
rec online-log zpool online recf "$files/f4"
rec online-spare zpool online recf "$files/f6"
rec online-group zpool online recf raidz1-0
rec offline-group zpool offline recf raidz1-0
rec offline-temporary zpool offline -t recf "$files/f1"
state offline-temporary recf
rec offline-second zpool offline recf "$files/f2"
rec online-expand zpool online -e recf "$files/f1"
zpool wait -t resilver recf
rec replace-sequential-raidz zpool replace -s recf "$files/f1" "$files/f9"
rec replace-too-small-raidz zpool replace recf "$files/f1" "$files/less"
rec replace-same zpool replace recf "$files/f1" "$files/f2"
rec detach-raidz zpool detach recf "$files/f1"
rec detach-spare zpool detach recf "$files/f6"
rec detach-group zpool detach recf mirror-2
rec attach-spare zpool attach recf "$files/f6" "$files/f9"
rec attach-cache zpool attach recf "$files/f5" "$files/f9"
rec attach-in-use zpool attach recf "$files/f7" "$files/f1"
rec attach-raidz-too-small zpool attach recf raidz1-0 "$files/less"
rec remove-cache zpool remove recf "$files/f5"
rec remove-log zpool remove recf "$files/f4"
rec remove-leaf zpool remove recf "$files/f1"
rec remove-special zpool remove recf mirror-2
rec remove-no-such-device zpool remove recf nosuch
rec remove-cancel-none zpool remove -s recf

# ---- a spare in use
rm "$files/f3"
zpool scrub -w recf
zpool offline -f recf "$files/f3"
rec replace-by-spare zpool replace recf "$files/f3" "$files/f6"
zpool wait -t resilver recf
state spare-in-use recf
rec remove-spare-in-use zpool remove recf "$files/f6"
rec replace-by-used-spare zpool replace recf "$files/f1" "$files/f6"
rec detach-spare-in-use zpool detach recf "$files/f6"
state spare-returned recf
zpool replace recf "$files/f3" "$files/f6"
zpool wait -t resilver recf
rec detach-failed zpool detach recf "$files/f3"
state spare-kept recf
truncate -s 256M "$files/f3"

# ---- a replacement, held and cancelled
fill recf 100
set_to zfs_scan_suspend_progress 1
rec replace-begun zpool replace recf "$files/f1" "$files/f9"
zpool sync recf
state replacing-raidz recf
rec replace-second zpool replace recf "$files/f2" "$files/f10"
zpool sync recf
state replacing-two recf
rec scrub-while-replacing zpool scrub recf
rec replace-of-replacing zpool replace recf "$files/f1" "$files/f11"
rec detach-old zpool detach recf "$files/f2"
rec detach-new zpool detach recf "$files/f9"
zpool sync recf
state replacing-cancelled recf
set_to zfs_scan_suspend_progress 0
zpool wait -t resilver recf

# ---- the expansion of a RAID-Z
fill recf 100
set_to raidz_expand_max_reflow_bytes 50000000
rec attach-expand zpool attach recf raidz1-0 "$files/f12"
sleep 5
state expanding recf
rec attach-expand-again zpool attach recf raidz1-0 "$files/f13"
rec replace-while-expanding zpool replace recf "$files/f6" "$files/f13"
rec detach-while-expanding zpool detach recf "$files/f12"
set_to raidz_expand_max_reflow_bytes 0
zpool wait -t resilver recf
# An expansion that a resilver has stopped goes on when the errors are cleared.
state expanding-paused recf
zpool clear recf
zpool wait -t raidz_expand recf
state expanded recf

# ---- evacuation
zpool create recg "$files/f15" "$files/f16"
fill recg 60
rec remove-all zpool remove recg "$files/f15" "$files/f16"
zpool wait -t remove recg
set_to zfs_removal_suspend_progress 1
rec remove-dry-run zpool remove -np recg "$files/f16"
rec remove zpool remove recg "$files/f16"
sleep 1
state evacuating recg
rec remove-again zpool remove recg "$files/f15"
rec attach-while-evacuating zpool attach recg "$files/f15" "$files/f17"
rec scrub-while-evacuating zpool scrub recg
rec remove-cancel zpool remove -s recg
sleep 1
state evacuation-cancelled recg
set_to zfs_removal_suspend_progress 0
rec remove-once-more zpool remove recg "$files/f16"
zpool wait -t remove recg
state evacuated recg
rec remove-last zpool remove recg "$files/f15"

# ---- trimming
fill recg 20
rm -f /recg/data*
zpool sync recg
set_to zfs_trim_extent_bytes_max 65536
rec trim-cancel-none zpool trim -c recg
rec trim-no-such-device zpool trim recg nosuch
rec trim zpool trim -r 1M recg
sleep 1
state trimming recg
rec trim-again zpool trim recg
rec trim-suspend zpool trim -s recg
state trim-suspended recg
rec trim-resume zpool trim -r 1M recg
rec trim-cancel zpool trim -c recg
state trim-cancelled recg
rec trim-wait zpool trim -w recg
state trimmed recg

# ---- upgrading
zpool create -o compatibility=openzfs-2.1-linux rech "$files/f18"
rec upgrade-compatibility zpool upgrade rech
zpool set compatibility=off rech
state upgradable rech
rec upgrade-features zpool get -Hp -o property,value all rech
rec upgrade zpool upgrade rech
rec upgrade-again zpool upgrade rech
rec upgrade-no-such-pool zpool upgrade nosuch
rec attach-mirror zpool attach rech "$files/f18" "$files/f19"
zpool wait -t resilver rech
rec detach-mirror zpool detach rech "$files/f19"
rec attach-too-small zpool attach rech "$files/f18" "$files/less"
rec attach-sequential-last zpool attach -s rech "$files/f18" "$files/f19"
