#!/bin/sh
# Reboots: `reboot.sh run TASKDIR`. Never run this on a machine that you need without a bin/reboot.sh; the tests always
# provide one.
LOCK=reboot
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"

run() {
  persist || echo 'the state could not be made persistent'
  step 50 rebooting
  if [ -f "$EDGE_ROOT/bin/reboot.sh" ]; then
    hook reboot || fail E1000 "$(with_fault 'The machine could not be rebooted')"
  elif [ -d /run/systemd/system ]; then
    systemctl reboot 9>&- || fail E1000 'The machine could not be rebooted'
  else
    reboot 9>&- || fail E1000 'The machine could not be rebooted'
  fi
}

# A task that was running when the machine went down, and finds another boot, has done its work.
recover() {
  [ "$ACTION" != run ] && [ "$PROGRESS" -ge 50 ] || return 0
  read -r _ _ recover_boot 2>/dev/null <"$TASK/pid" || return 0
  [ "$recover_boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || END_STATE=completed
}

main "$@"
