#!/bin/sh
# Puts new settings in place and applies the network: `settings.sh run TASKDIR static|dhcp`. The network may be the
# caller's only access, so if it cannot be applied the old files are restored and applied.
LOCK=settings
NEEDS='node readlink'
[ -z "${SUDO_UID:-}" ] || unset EDGE_NETROOT
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=conf.sh
. "$here/conf.sh"
# shellcheck source=clock.sh
. "$here/clock.sh"
# shellcheck source=network-apply.sh
. "$here/network-apply.sh"

CONF=$EDGE_SYSCONFDIR/network.conf

refuse() {
  log_line update_settings.log 'Invalid or missing settings file'
  : >"$TASK/refused"
  fail E1000 'Invalid or missing settings file'
}

apply() { # TYPE: the vendor's script decides when there is one
  if [ -f "$EDGE_ROOT/bin/network.sh" ]; then
    hook network "$1"
  else
    network_apply "$CONF"
  fi
}

apply_what_is_on_disk() {
  if conf_check "$CONF" "$NETWORK_NAMES"; then
    # The failed settings may have been for another interface: that one gets its previous configuration back.
    [ ! -d "$TASK/before" ] || if network_is_networkd; then network_resolv_back "$TASK/before"; else network_restore "$TASK/before"; fi
    apply "$(conf_value "$CONF" mode)"
  elif [ -d "$TASK/before" ]; then
    network_restore "$TASK/before"
  else
    echo 'there are no older settings to apply'
  fi
}

run() {
  TYPE=${1:-}
  log_line update_settings.log 'Updating settings. Please wait..'
  checkpoint settings-started
  settings_given "$TYPE" || refuse

  step 20 'putting the settings in place'
  {
    place 640 "$TASK/input/app.json" "$EDGE_ROOT/etc/app.json" &&
      place 640 "$TASK/input/network.json" "$EDGE_ROOT/etc/network.json" &&
      place_conf "$TASK/input/network.conf" &&
      swap_in && share_conf
  } || fail E1000 'The settings could not be stored'
  checkpoint settings-placed

  step 50 'applying the network'
  if [ ! -f "$EDGE_ROOT/bin/network.sh" ]; then
    network_snapshot "$CONF" "$TASK/before" || fail E1000 'The network could not be applied'
  fi
  : | put "$TASK/applying" 640
  apply "$TYPE" || fail E1000 "$(with_fault 'The network could not be applied')"
  checkpoint settings-applied

  swap_commit || fail E1000 'The settings could not be stored'
}

recover() {
  swap_undo || return 1
  [ ! -f "$TASK/applying" ] || apply_what_is_on_disk || echo 'the settings on the disk could not be applied'
}

on_end() {
  rm -rf "$TASK/applying" "$TASK/before"
  if [ "$1" = completed ]; then
    log_line update_settings.log 'Updating settings successful'
  elif [ ! -f "$TASK/refused" ]; then
    log_line update_settings.log 'Updating settings failed'
  fi
  persist_end "$1"
}

main "$@"
