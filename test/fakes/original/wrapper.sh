#!/bin/sh
# A stand-in for the original's bin/wrapper.sh (install.sh lays it). It refuses every form of a call that the original's server does not use.
set -u
root='@ROOT@' prefix='@PREFIX@'

note() { printf '%s\n' "$*" >>"$root/log/original-calls.log"; }
refuse() {
  note "refused: $1"
  echo "refused: $1" >&2
  exit 1
}
# As root already: nothing to ask sudo for.
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }
run() { # NAME [ARGUMENT]
  run_script=$root/bin/update_$1.sh
  shift
  as_root "$run_script" "$@"
}
save() {
  [ -x "$prefix/usr/bin/symlinktool.sh" ] || return 0
  save_device=$(sed 's,/,,' "$prefix/etc/sysconfig/backup_device") || return 0
  as_root "$prefix/usr/bin/symlinktool.sh" -c "$save_device" && as_root "$prefix/usr/bin/symlinktool.sh" -r "$save_device"
}

verb=${SSH_ORIGINAL_COMMAND-}
[ ! -e /proc/self/fd/9 ] || refuse 'the lock of the caller was handed on'
[ "$(umask)" = 0022 ] || [ "$(umask)" = 022 ] || refuse "umask $(umask)"
case $verb in
  settings) case "$# ${1-}" in '1 static' | '1 dhcp') ;; *) refuse "settings with $# arguments: $*" ;; esac ;;
  backup) case "$# ${1-}" in '1 START' | '1 STOP' | '1 RESTORE') ;; *) refuse "backup with $# arguments: $*" ;; esac ;;
  update | storage | certs | license | token | logs | debug | services | reboot | version | changelog)
    [ $# -eq 0 ] || refuse "$verb with $# arguments: $*"
    ;;
  *) refuse "verb: $verb" ;;
esac
note "$verb $#${1+ $1}"

case $verb in
  update) run vm && save ;;
  settings) run settings "$1" && save ;;
  backup) run backup "$1" && save ;;
  storage | certs | license | token) run "$verb" && save ;;
  logs) run logs ;;
  debug) run logs && run debug ;;
  services) run services FETCH ;;
  version | changelog) cat "$root/etc/$verb.txt" ;;
  reboot)
    save
    # The original runs `reboot`; a machine that tests run on has other plans.
    if [ -x "$root/bin/reboot.sh" ]; then as_root "$root/bin/reboot.sh"; else note rebooted; fi
    ;;
esac
