#!/bin/sh
# Wipes a disk: `disk-wipe.sh run TASKDIR LOCK NAME`. First its partitions, then the disk with its partition table, so
# that a disk that was wiped in part can be wiped again. `input/planned` lists what the caller agreed to lose, one device,
# tab and file system per line. wipefs opens each device exclusively: the kernel refuses what is in use.
# shellcheck disable=SC2034
NEEDS='lsblk wipefs'
LOCK=${3:-}
case $LOCK in
  disk-*[!A-Za-z0-9_.-]* | disk-) LOCK= ;;
  disk-*) ;;
  *) LOCK= ;;
esac
: "${LOCK:?not the lock of a disk}"
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

DISK_SECONDS=60 # for one program; a broken disk may never answer
TAB=$(printf '\t')

first_line() { # NAME: of one of the task's inputs
  IFS= read -r first_text <"$TASK/input/$1" || [ -n "$first_text" ] || return 1
  printf '%s' "$first_text"
}

limited_run() { timeout "$DISK_SECONDS" "$@" 9>&-; }

# Writes `DEVICE<tab>FILE SYSTEM` of the disk and of its partitions, the disk first, to a file of the task.
look() { # FILE
  limited_run lsblk -P -p -o NAME,TYPE,FSTYPE,MOUNTPOINT "$DEVICE" >"$TASK/rows" 2>"$TASK/said" || {
    cat "$TASK/said"
    fail_full UNAVAILABLE 'lsblk does not say what is on the disk'
  }
  sed -n 's/^NAME="\([^"]*\)" TYPE="\([^"]*\)" FSTYPE="\([^"]*\)" MOUNTPOINT="\([^"]*\)".*$/\1	\3	\2	\4/p' "$TASK/rows" >"$TASK/$1"
  look_rows=$(grep -c . "$TASK/$1") || look_rows=0
  case $look_rows in
    0) fail_full UNAVAILABLE 'lsblk does not say what is on the disk' ;;
    "$(grep -c . "$TASK/rows")") ;;
    *) fail_full UNAVAILABLE 'lsblk does not say what is on the disk' ;;
  esac
}

refuse_used() { # FILE: nothing on it may be in use, or be there since the plan was made
  while IFS= read -r used_row; do
    used_name=${used_row%%"$TAB"*}
    used_rest=${used_row#*"$TAB"}
    used_fstype=${used_rest%%"$TAB"*}
    case ${used_rest#*"$TAB"} in
      "disk$TAB" | "part$TAB" | "mpath$TAB") ;;
      *) fail CONFLICT "$used_name is in use" ;;
    esac
    grep -q -x -F -e "$used_name$TAB$used_fstype" "$TASK/input/planned" ||
      fail CONFLICT 'Something else is on the disk meanwhile: ask again'
    limited_run wipefs -n -a "$used_name" >/dev/null 2>"$TASK/said" || {
      cat "$TASK/said"
      fail CONFLICT "$used_name is in use"
    }
  done <"$TASK/$1"
}

clean() { # DEVICE
  # A device without a label makes labelclear fail, so its status says nothing.
  ! command -v zpool >/dev/null || limited_run zpool labelclear -f "$1" 2>&1 || :
  limited_run wipefs -a "$1" 2>"$TASK/said" || {
    clean_said=$(tr -d '\000-\010\013-\037' <"$TASK/said" | head -n 1 | cut -c 1-200)
    cat "$TASK/said"
    case $clean_said in *busy*) fail CONFLICT "$1 is in use" ;; esac
    fail E1000 "wipefs failed on $1: $clean_said"
  }
}

# What counts is what is left, not an exit status.
verify() {
  verify_tries=3
  while :; do
    settle
    look left
    verify_signatures=$(limited_run wipefs "$DEVICE" 2>/dev/null) || verify_signatures=unknown
    verify_empty=
    [ "$(grep -c . "$TASK/left")" != 1 ] || [ -n "$verify_signatures" ] || verify_empty=yes
    # lsblk shows what udev recorded. After a wipe, udev updates its record with a delay: until then the old content is shown.
    [ -z "$verify_empty" ] || [ -n "$(cut -f 2 "$TASK/left")" ] || return 0
    verify_tries=$((verify_tries - 1))
    if [ "$verify_tries" -le 0 ]; then
      [ -n "$verify_empty" ] || fail E1000 'Something is left on the disk'
      return 0
    fi
    # udev does not hear of a write while it handles the one before: its record would stay old, and the disk in use.
    ! command -v udevadm >/dev/null || limited_run udevadm trigger --action=change "$DEVICE" 2>&1 || :
    sleep 1
  done
}

run() { # LOCK NAME
  DEVICE=$(first_line device) || fail INVALID 'No disk is named'
  case $DEVICE in /dev/*) ;; *) fail INVALID 'Not a device' ;; esac
  checkpoint disk-wipe-started
  settle
  run_size=$(limited_run lsblk -dnb -o SIZE "$DEVICE" | tr -d ' ') || run_size=
  [ "$run_size" = "$(first_line size)" ] || fail CONFLICT 'Another disk is there meanwhile: ask again'
  # The kernel gives its names to other disks at will, and a shelf is full of disks of one size.
  if run_wanted=$(first_line serial 2>/dev/null); then
    run_serial=$(limited_run lsblk -dn -o SERIAL "$DEVICE" | tr -d ' ') || run_serial=
    [ "$run_serial" = "$run_wanted" ] || fail CONFLICT 'Another disk is there meanwhile: ask again'
  fi
  look before
  refuse_used before
  step 10 "wiping $DEVICE"
  done_in_part
  checkpoint disk-wipe-begun
  # The disk is the first row.
  sed -n '2,$p' "$TASK/before" | cut -f 1 >"$TASK/parts"
  while IFS= read -r run_part; do clean "$run_part"; done <"$TASK/parts"
  checkpoint disk-wipe-parts
  clean "$DEVICE"
  checkpoint disk-wipe-wiped
  step 80 'looking for what is left'
  verify
  step 100 'the disk is empty'
}

main "$@"
