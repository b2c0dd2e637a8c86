# shellcheck shell=sh
# Shared by license.sh and wrapper.sh: the vendor's license.sh judges the installed license, which is then kept or
# rolled back with `swap_undo`. Under sudo it runs as the server's user, as for GET: with root's rights it could say yes
# once, and no ever after.

license_refuse() { # TEXT
  log_line update_license.log 'Invalid or missing license file'
  : >"$TASK/refused"
  fail E1000 "$1"
}

license_decide() {
  license_ask || fail E1000 'The license could not be checked'
  put "$TASK/output.json" 640 <"$TASK/decision" || fail E1000 'The license could not be stored'
  checkpoint license-decided
  swap_commit || fail E1000 'The license could not be stored'
}

license_ask() { # 0: yes; 1: nobody could be asked. A no ends the task
  [ -f "$EDGE_ROOT/bin/license.sh" ] || license_refuse 'Invalid or missing license file'
  rm -f "$TASK/decision"
  decide_rc=0
  # shellcheck disable=SC2154 # SUDO_GID: sudo
  edge_admin judge "$EDGE_ROOT/bin/license.sh" "$TASK/decision" ${SUDO_UID:+"$SUDO_UID" "$SUDO_GID"} 2>"$TASK/why" || decide_rc=$?
  cat "$TASK/why"
  case $decide_rc in
    0) ;;
    2) license_refuse "$(tail -n 1 "$TASK/why")" ;;
    3) license_refuse 'Invalid or missing license file' ;;
    *) return 1 ;;
  esac
}

license_end() { # STATE
  rm -f "$TASK/decision" "$TASK/why"
  persist_end "$1"
  [ "$1" != completed ] || return 0
  rm -f "$TASK/output.json"
  [ -f "$TASK/refused" ] || log_line update_license.log 'Updating license failed'
}
