#!/bin/sh
# LIO, the kernel's iSCSI target, through its configfs: `read` prints the tree, `apply` makes the changes that standard input lists.
# The trap: this is no task but a program that the server waits for. It is one so that a kernel that hangs holds up this process only.
#
# read prints        PATH/  for a folder,  PATH<tab>TEXT  for each line of a file,  PATH<tab>-> PATH  for a link.
# apply takes lines  OPERATION<tab>PATH[<tab>VALUE]  and stops at the first that fails: exit status 1, and on standard error the
#                    system's words and  after N  for the lines that are done.
root=${EDGE_CONFIGFS:-/sys/kernel/config/target}
LC_ALL=C
export LC_ALL
settled=
tab=$(printf '\t')

show() { # FILE...
  for file; do
    [ -f "$file" ] || continue
    while IFS= read -r line || [ -n "$line" ]; do
      printf '%s\t%s\n' "$file" "$line"
    done <"$file"
  done
}

links() { # FOLDER
  for entry in "$1"/*; do
    [ -L "$entry" ] || continue
    target=$(CDPATH='' cd -P -- "$entry" && pwd -P) && printf '%s\t-> %s\n' "$entry" "${target#"$root"/}"
  done
}

size() { # STORE: what the kernel serves, which is what the device had when it was last looked at
  while IFS= read -r line; do
    case $line in *'iBlock device: '*) ;; *) continue ;; esac
    device=${line#*iBlock device: }
    IFS= read -r sectors <"/sys/class/block/${device%% *}/size" && printf '%s\t%s\n' "$1/sectors" "$sectors"
  done <"$1/info" 2>/dev/null
}

folders() { # PATH...: those that are folders
  found=
  for path; do
    [ -d "$path" ] || continue
    printf '%s/\n' "$path"
    found=1
  done
  [ -n "$found" ]
}

show_store() { # STORE
  folders "$1" || return
  show "$1/enable" "$1/udev_path" "$1/wwn/vpd_unit_serial" "$1/info"
  size "$1"
}

show_auth() { # ACL or PORTAL-GROUP
  show "$1/auth/userid" "$1/auth/password" "$1/auth/userid_mutual" "$1/auth/password_mutual"
}

show_acl() { # ACL
  folders "$1" || return
  show "$1/info"
  show_auth "$1"
  for mapped in "$1"/lun_*; do
    folders "$mapped" && links "$mapped"
  done
}

show_group() { # PORTAL-GROUP
  folders "$1" || return
  show "$1/enable" "$1/param/TargetAlias" "$1/dynamic_sessions"
  show_auth "$1"
  for name in authentication generate_node_acls demo_mode_discovery; do
    show "$1/attrib/$name"
  done
  folders "$1"/np/*
  for lun in "$1"/lun/lun_*; do
    folders "$lun" && links "$lun"
  done
  for acl in "$1"/acls/*; do show_acl "$acl"; done
}

show_all() {
  # No such folder: LIO was never used since the boot, and there is nothing in it.
  CDPATH='' cd -- "$root" 2>/dev/null || return 0
  root=$(pwd -P)
  for hba in core/*_*; do
    folders "$hba" || continue
    for store in "$hba"/*; do show_store "$store"; done
  done
  for target in iscsi/*; do
    [ "$target" != iscsi/discovery_auth ] || continue
    folders "$target" || continue
    for group in "$target"/tpgt_*; do show_group "$group"; done
  done
  return 0
}

write() { # FILE VALUE: values may be secrets, which no other process's arguments may show
  { printf '%s' "$2" >"$1"; } 2>/dev/null && return
  # Once more, for the system's own words: the shell has only "I/O error".
  printf '%s' "$2" | tee "$1" >/dev/null
}

# udev makes the link a moment after ZFS made the volume, and takes an old one away as late: for so long it may lead to another volume, which
# has got the number since.
await_device() { # /dev/zvol/DATASET
  # Once is enough: all of them were there before. Its words would be taken for the reason of what fails later.
  if [ -z "$settled" ] && command -v udevadm >/dev/null; then udevadm settle -t 20 2>/dev/null; fi
  settled=1
  tries=50
  until is_device "$1"; do
    tries=$((tries - 1))
    if [ "$tries" -eq 0 ]; then
      echo "$1: No such device" >&2
      return 1
    fi
    sleep 0.1
  done
}

is_device() {
  [ -b "$1" ] || return 1
  # What somebody added by hand may be any disk.
  case $1 in /dev/zvol/*) ;; *) return 0 ;; esac
  for zvol_id in /usr/lib/udev/zvol_id /lib/udev/zvol_id; do
    [ -x "$zvol_id" ] || continue
    [ "$("$zvol_id" "$(readlink -f "$1")" 2>/dev/null)" = "${1#/dev/zvol/}" ]
    return
  done
}

change() { # OPERATION PATH VALUE
  # Only a whole part of the path leads out of it: a volume may be called tank/vm..1.
  case /$2/ in */../*) set -- refused ;; esac
  case $1:${2:-} in
    device:/dev/?*) await_device "$2" ;;
    mkdir:core/?* | mkdir:iscsi/?*) mkdir "$2" ;;
    rmdir:core/?* | rmdir:iscsi/?*) rmdir "$2" ;;
    # -n: a link that is there is a folder to ln, and would get one inside.
    link:iscsi/?*) ln -s -n "$root/$3" "$2" ;;
    unlink:iscsi/?*) rm "$2" ;;
    write:core/?* | write:iscsi/?*) write "$2" "$3" ;;
    *)
      echo "not an operation" >&2
      false
      ;;
  esac
}

apply() {
  if ! [ -d "$root" ] && ! modprobe -q target_core_mod 2>/dev/null; then
    echo 'The kernel has no iSCSI target (target_core_mod)' >&2
    return 1
  fi
  CDPATH='' cd -- "$root" || return
  # The kernel loads iscsi_target_mod by itself.
  [ -d iscsi ] || mkdir iscsi || return
  count=0
  while IFS=$tab read -r operation path value; do
    if ! change "$operation" "$path" "$value" </dev/null; then
      echo "after $count" >&2
      return 1
    fi
    count=$((count + 1))
  done
}

case ${1:-} in
  read) show_all ;;
  apply) apply ;;
  *)
    echo "usage: lio.sh read|apply" >&2
    exit 2
    ;;
esac
