#!/bin/sh
# Puts new storage options in place for the next boot: `storage.sh run TASKDIR`. Nothing is mounted now, because the
# data folder is in use.
LOCK=storage
NEEDS=node
[ -z "${SUDO_UID:-}" ] || unset EDGE_NETROOT
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=conf.sh
. "$here/conf.sh"
# shellcheck source=storage-units.sh
. "$here/storage-units.sh"

CONF=$EDGE_SYSCONFDIR/storage.conf

refuse() {
  log_line update_storage.log 'Invalid or missing settings file'
  : >"$TASK/refused"
  fail E1000 'Invalid or missing settings file'
}

apply() {
  if [ -f "$EDGE_ROOT/bin/storage.sh" ]; then
    hook storage
  else
    storage_apply "$CONF"
  fi
}

run() {
  log_line update_storage.log 'Updating settings. Please wait..'
  checkpoint storage-started
  storage_given || refuse

  step 20 'putting the options in place'
  {
    place 640 "$TASK/input/storage.json" "$EDGE_ROOT/etc/storage.json" secret &&
      place_conf "$TASK/input/storage.conf" secret &&
      swap_in && share_conf
  } || fail E1000 'The storage options could not be stored'
  checkpoint storage-placed

  step 50 'preparing the next boot'
  : | put "$TASK/applying" 640
  apply || fail E1000 "$(with_fault 'The storage options could not be applied')"
  checkpoint storage-applied

  swap_commit || fail E1000 'The storage options could not be stored'
}

recover() {
  swap_undo || return 1
  [ -f "$TASK/applying" ] || return 0
  if [ -f "$CONF" ]; then
    apply || echo 'the options on the disk could not be applied'
  elif [ ! -f "$EDGE_ROOT/bin/storage.sh" ]; then
    storage_units_remove
  fi
}

on_end() {
  rm -f "$TASK/applying"
  if [ "$1" = completed ]; then
    log_line update_storage.log 'Updating settings successful'
  elif [ ! -f "$TASK/refused" ]; then
    log_line update_storage.log 'Updating settings failed'
  fi
  persist_end "$1"
}

main "$@"
