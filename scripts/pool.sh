# shellcheck shell=sh
# Creates, destroys, imports or exports a pool, for pool-VERB.sh. A pool is created in one transaction, so after a kill
# it exists or not; until the end it carries the task's id, which distinguishes it from a pool of somebody else.
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zpool.sh
. "$here/zpool.sh"

TAG=edge-admin:task

create() {
  set -- -O "$TAG=$TASK_ID"
  while IFS= read -r create_line; do set -- "$@" "$create_line"; done <"$TASK/input/options"
  set -- "$@" -- "$NAME"
  while IFS= read -r create_line; do set -- "$@" "$create_line"; done <"$TASK/input/vdevs"
  ready
  patiently create "$@"
}

# udev can make a disk busy whose partitions were just changed, and a pool that was just exported or has a new volume.
patiently() { # ARGUMENT...: zpool_do, more than once
  patient_tries=$TRIES
  until zpool_try_allowed "$@"; do
    patient_tries=$((patient_tries - 1))
    case $patient_tries-$1-$ZPOOL_TEXT in
      0-*) zpool_refused ;;
      *'no such pool or dataset'* | *'currently unavailable'* | *'same device'* | *'pool is busy'*) ;;
      ?-import-*'no such pool'*) ;;
      ?-create-*'failed to rescan'* | ?-create-*'cannot label'* | ?-create-*'missing link'*) ;;
      ?-create-*"cannot open '"*"': No such "* | ?-create-*"cannot open '"*"': Device or resource busy"*) ;;
      *) zpool_refused ;;
    esac
    sleep 1
    ready
  done
}

# Before each try: the caller's plan still has to be complete.
ready() {
  settle
  case $VERB in
    destroy)
      need_pool
      refuse_unplanned
      ;;
    export) need_pool ;;
  esac
}

# For a pool that was imported only to inspect it.
give_back() {
  back_tries=$TRIES
  while [ "$back_tries" -gt 0 ]; do
    settle
    ! zpool_look export "$NAME" || return 0
    back_tries=$((back_tries - 1))
    sleep 1
  done
  echo "$NAME was not exported"
  return 1
}

filesystems() { # COLUMN PATTERN: of those whose `canmount` and `mounted` are so
  timeout "$ZPOOL_SECONDS" zfs list -Hp -t filesystem -o "canmount,mounted,$1" -r "$NAME" >"$TASK/filesystems" || return 1
  sed -n "s/^$2	//p" "$TASK/filesystems"
}

# The content of a pool that cannot be opened is unknown, now and when the caller was asked.
refuse_unplanned() {
  timeout "$ZPOOL_SECONDS" zfs list -H -o guid,name -t all -r "$NAME" >"$TASK/tree" 2>"$TASK/said" || {
    case $(cat "$TASK/said") in *'does not exist'*) return 0 ;; esac
    cat "$TASK/said"
    fail UNAVAILABLE 'zfs does not say what is in the pool'
  }
  refuse_new "$TASK/tree"
}

# A pool from another machine may have its mount point at /, /usr or /home, and ZFS would mount it over the system. So
# the mount points are checked first.
look_inside() { # OPTION...
  : | put "$TASK/looking" 640 || fail_full E1000 'The task cannot be written down'
  ready
  patiently import -N -o readonly=on -o cachefile=none "$@" -- "$GUID" "$NAME"
  checkpoint pool-looking
  look_bad=
  filesystems mountpoint 'on	no' >"$TASK/mountpoints" || look_bad='zfs does not say where the pool would be mounted'
  while IFS= read -r look_place; do
    ! hides "$look_place" || look_bad="The pool would be mounted over the system: $look_place"
  done <"$TASK/mountpoints"
  patiently export "$NAME"
  rm -f "$TASK/looking"
  [ -z "$look_bad" ] || fail CONFLICT "$look_bad"
}

hides() { # MOUNTPOINT: whether something of the system, or another file system, would be out of sight
  case $1/ in
    [!/]*) return 1 ;; # none, legacy
    */../* | */./* | *//*) return 0 ;;
  esac
  for hides_path in "$1" "$(readlink -f "$1" || :)"; do
    case $hides_path/ in
      / | /bin/* | /boot/* | /dev/* | /etc/* | /home/* | /lib/* | /lib[0-9x]*/* | /mnt/ | /opt/* | /proc/* | /root/* | /run/* | \
        /sbin/* | /sys/* | /tmp/* | /usr/* | /var/*) [ -z "$hides_path" ] || return 0 ;;
    esac
    for hides_own in "$EDGE_ROOT" "$EDGE_STATEDIR" "$EDGE_DATADIR" "$EDGE_SYSCONFDIR" "$here"; do
      case $hides_own/ in "$hides_path"/*) [ -z "$hides_path" ] || return 0 ;; esac
    done
  done
  # /proc/mounts writes a space in octal.
  awk -v place="$1" '{ gsub(/\\040/, " ", $2) } $2 == place { found = 1 } END { exit !found }' /proc/self/mounts
}

# Mounts again what a refused destroy or export unmounted before it found a busy dataset.
mount_again() {
  [ -s "$TASK/mounted" ] || return 0
  filesystems name '[a-z]*	no' >"$TASK/unmounted" || return 0
  while IFS= read -r mount_name; do
    if grep -q -x -F -e "$mount_name" "$TASK/mounted"; then timeout "$ZPOOL_SECONDS" zfs mount "$mount_name" || :; fi
  done <"$TASK/unmounted"
}

forget_tag() { zfs inherit "$TAG" "$NAME" || echo "the mark of this task stays on $NAME"; }

run() {
  checkpoint pool-started
  pool_name
  GUID=$(input guid) || GUID=
  step 5 "pool: $VERB"
  : | put "$TASK/begun" 640 || fail_full E1000 'The task cannot be written down'
  checkpoint pool-begun
  case $VERB in
    create) create ;;
    destroy | export)
      ready
      filesystems name '[a-z]*	yes' >"$TASK/mounted" || :
      patiently "$VERB" "$NAME"
      # What counts is whether it is gone, not the exit status.
      if pool_is_there "$GUID"; then fail E1000 "zpool left $NAME where it was"; fi
      ;;
    import)
      set --
      import_folder=$(input folder) && set -- -d "$import_folder"
      input force >/dev/null && set -- "$@" -f
      look_inside "$@"
      ready
      patiently import "$@" -- "$GUID" "$NAME"
      ;;
  esac
  checkpoint pool-done
  [ "$VERB" != create ] || forget_tag
}

is_mine() { [ "$(timeout "$ZPOOL_SECONDS" zfs get -H -o value "$TAG" "$NAME")" = "$TASK_ID" ]; }

# After a power cut between the transaction and the file that lists the pools to import at boot, the pool is on its
# devices, but not imported.
adopt() {
  read -r _ _ adopt_boot <"$TASK/pid" && [ "$adopt_boot" != "$(cat /proc/sys/kernel/random/boot_id)" ] || return 1
  set --
  while IFS= read -r adopt_word; do
    case $adopt_word in /*) set -- "$@" -d "$adopt_word" ;; esac
  done <"$TASK/input/vdevs"
  zpool_look import -N "$@" -- "$NAME" || return 1
  # shellcheck disable=SC2015 # both have to be true
  is_mine && zfs mount "$NAME" && return 0
  give_back
  return 1
}

recover() {
  [ -f "$TASK/begun" ] || return 0
  pool_name
  case $VERB in
    create)
      is_mine || { [ "$ACTION" != run ] && adopt; } || return 0
      forget_tag
      END_STATE=completed
      ;;
    import)
      pool_is_there "$(input guid)" || return 0
      # Meanwhile somebody else may have imported it to stay.
      if [ ! -f "$TASK/looking" ]; then
        END_STATE=completed
      elif [ "$(zpool_look get -H -o value readonly "$NAME")" = on ]; then
        give_back
      fi
      ;;
    destroy | export)
      recover_there=0
      pool_is_there "$(input guid)" || recover_there=$?
      case $recover_there in
        0) mount_again ;;
        1) END_STATE=completed ;;
      esac # 2: zpool cannot tell
      ;;
  esac
}
