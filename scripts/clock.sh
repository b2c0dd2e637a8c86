# shellcheck shell=sh
# Passes the time server in network.conf to the program that keeps the clock: chrony, systemd-timesyncd or ntpd,
# whichever is installed. Sourced by settings.sh and boot.sh. A leftover configuration file does not prove that chrony
# is installed: Debian keeps it after a removal. If chrony.conf includes no folder for our file (Debian's does), a line
# is added.

CLOCK_LINE='include /etc/chrony.d/*.conf'

clock_set() { # SERVER; empty: takes away what we wrote
  clock_etc=${EDGE_NETROOT:-}/etc
  for clock_conf in chrony/chrony.conf chrony.conf; do
    { [ -f "$clock_etc/$clock_conf" ] && command -v chronyd >/dev/null 2>&1; } || continue
    clock_chrony "$1" "$clock_etc/$clock_conf"
    return
  done
  if clock_has_unit systemd-timesyncd; then
    clock_file "$1" "$clock_etc/systemd/timesyncd.conf.d/10-edge-admin.conf" "[Time]
NTP=$1" && clock_restart systemd-timesyncd
  elif [ -z "$1" ]; then
    :
  elif command -v ntpd >/dev/null 2>&1; then
    clock_ntpd "$1"
  else
    clock_said='ntpserver has no effect: neither chrony nor systemd-timesyncd nor ntpd is here'
    echo "$clock_said"
    log_line update_settings.log "$clock_said"
  fi
}

clock_has_unit() { [ -d "${EDGE_NETROOT:-}/run/systemd/system" ] && systemctl cat "$1.service" >/dev/null 2>&1; } # NAME

clock_file() { # SERVER FILE TEXT
  [ -n "$1" ] || { rm -f "$2"; return; }
  # These programs read it under their own accounts.
  (umask 022 && mkdir -p "$(dirname -- "$2")") && printf '# Written by edge-admin.\n%s\n' "$3" | put "$2" 644
}

# A clock that does not follow is no reason to roll the network back.
clock_restart() { # NAME...: what it may be called here
  for clock_name; do
    if [ -d "${EDGE_NETROOT:-}/run/systemd/system" ]; then
      systemctl --no-block try-restart "$clock_name.service" 9>&- 2>/dev/null || :
    elif command -v service >/dev/null 2>&1 && service "$clock_name" status 9>&- >/dev/null 2>&1; then
      service "$clock_name" restart 9>&- || :
    fi
  done
}

clock_chrony() { # SERVER CHRONY.CONF
  # Files below /run are gone after the next boot.
  clock_named=$(awk '($1 == "confdir" || $1 == "sourcedir") && $2 !~ /^\/(var\/)?run\// {
    print $2 "/edge-admin." ($1 == "confdir" ? "conf" : "sources")
    exit
  }' "$2") || return 1
  # Created before the line that includes it: chrony does not start if the folder is missing.
  clock_file "$1" "${EDGE_NETROOT:-}${clock_named:-/etc/chrony.d/edge-admin.conf}" "server $1 iburst" || return 1
  if [ -n "$1" ] && [ -z "$clock_named" ] && ! grep -qxF "$CLOCK_LINE" "$2"; then
    clock_text=$(cat "$2") && printf '%s\n' "$clock_text" "$CLOCK_LINE" | put "$2" 644 || return 1
  fi
  clock_restart chrony chronyd
}

clock_ntpd() { # SERVER
  clock_own=$clock_etc/ntp.conf
  [ ! -f "$clock_etc/ntpsec/ntp.conf" ] || clock_own=$clock_etc/ntpsec/ntp.conf
  {
    [ ! -f "$clock_own" ] || grep -v -e '^[[:blank:]]*server[[:blank:]]' -e '^[[:blank:]]*pool[[:blank:]]' "$clock_own"
    printf 'server %s\n' "$1"
  } | put "$clock_own" 644 && clock_restart ntpd ntp ntpsec
}
