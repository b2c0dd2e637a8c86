# shellcheck shell=sh
# Makes the next boot mount on the data folder what storage.conf says: systemd units, or boot.sh from our init script.
# Sourced by storage.sh and boot.sh, after lib.sh and conf.sh. Values end up in unit files, where % and \ are special:
# only the necessary ones are written there, escaped, and secrets never; boot.sh reads those from storage.conf.

STORAGE_MARK='# Written by edge-admin.'
STORAGE_DEVICE=/run/edge-admin/storage
STORAGE_UNITS=${EDGE_NETROOT:-}/etc/systemd/system

# A path as the name of a unit, like `systemd-escape --path` (systemd.unit(5)).
unit_name_of_path() { # PATH
  printf '%s' "$1" | awk '
    BEGIN { for (i = 1; i < 256; i++) code[sprintf("%c", i)] = i }
    {
      gsub(/\/+/, "/"); sub(/^\//, ""); sub(/\/$/, "")
      if ($0 == "") { printf "-"; exit }
      for (i = 1; i <= length($0); i++) {
        c = substr($0, i, 1)
        if (c == "/") printf "-"
        else if (c ~ /[A-Za-z0-9:_]/ || (c == "." && i > 1)) printf "%s", c
        else printf "\\x%02x", code[c]
      }
    }'
}

# A value of a unit file: specifiers doubled. systemd does not unquote What=, Where= and Options=.
unit_value() { # TEXT
  printf '%s' "$1" | sed 's/%/%%/g'
}

# One word of an Environment= line; in an ExecStart= line the $ is doubled, too.
unit_word() { # TEXT
  printf '"%s"' "$(printf '%s' "$1" | sed 's/\\/\\\\/g; s/"/\\"/g; s/%/%%/g')"
}
unit_argument() { unit_word "$1" | sed 's/\$/$$/g'; } # TEXT

# Whether a value may stand in a unit or in a list of mount options: printable, no spaces, no quotes, no backslash, no
# leading dash.
storage_plain() { # TEXT
  case $1 in '' | -* | *[!A-Za-z0-9._:/,=@%+-]*) return 1 ;; esac
}

storage_read() { # FILE: sets the ST_* variables and checks what its type needs
  conf_check "$1" "$STORAGE_NAMES" || return 1
  ST_TYPE=$(conf_value "$1" type)
  ST_IP=$(conf_value "$1" ip)
  ST_SHARE=$(conf_value "$1" share)
  ST_OPTIONS=$(conf_value "$1" mount_options)
  ST_DEVICE=$(conf_value "$1" device)
  ST_TARGET=$(conf_value "$1" target)
  ST_EXPORT=$(conf_value "$1" export_name)
  ST_PORT=$(conf_value "$1" port)
  case $ST_TYPE in
    local) ;;
    nfs) storage_address "$ST_IP" && storage_plain "$ST_SHARE" && storage_plain "$ST_OPTIONS" ;;
    aoe)
      case $ST_DEVICE in */* | *..*) return 1 ;; esac
      storage_plain "$ST_DEVICE"
      ;;
    iscsi)
      case $ST_TARGET in *[/,]* | *..*) return 1 ;; esac
      storage_address "$ST_IP" && storage_plain "$ST_TARGET"
      ;;
    nbd)
      case $ST_PORT in '' | *[!0-9]* | ??????*) return 1 ;; esac
      storage_address "$ST_IP" && [ "$ST_PORT" -ge 1 ] && [ "$ST_PORT" -le 65535 ] && storage_plain "$ST_EXPORT"
      ;;
    *) return 1 ;;
  esac
}
storage_address() { case $1 in '' | *[!0-9A-Fa-f.:]*) return 1 ;; esac; }
storage_host() { case $1 in *:*) printf '[%s]' "$1" ;; *) printf '%s' "$1" ;; esac; } # an IPv6 address in brackets

storage_mount_name() { printf '%s.mount' "$(unit_name_of_path "$EDGE_DATADIR")"; }
STORAGE_SERVICE=edge-admin-storage.service

storage_mount_unit() {
  printf '%s\n[Unit]\nDescription=Data of this appliance, from remote storage\n' "$STORAGE_MARK"
  printf 'Wants=network-online.target\nAfter=network-online.target\nBefore=remote-fs.target\n'
  [ "$ST_TYPE" = nfs ] || printf 'Requires=%s\nAfter=%s\n' "$STORAGE_SERVICE" "$STORAGE_SERVICE"
  printf '\n[Mount]\n'
  if [ "$ST_TYPE" = nfs ]; then
    printf 'What=%s\n' "$(unit_value "$(storage_host "$ST_IP"):$ST_SHARE")"
    printf 'Type=nfs\nOptions=%s\n' "$(unit_value "$ST_OPTIONS,_netdev")"
  else
    printf 'What=%s\nOptions=_netdev\n' "$STORAGE_DEVICE"
  fi
  printf 'Where=%s\nTimeoutSec=90\n\n[Install]\nWantedBy=remote-fs.target\n' "$(unit_value "$EDGE_DATADIR")"
}

# shellcheck disable=SC2154 # here: lib.sh
storage_service_unit() {
  printf '%s\n[Unit]\nDescription=Remote storage of this appliance\n' "$STORAGE_MARK"
  printf 'Wants=network-online.target\nAfter=network-online.target iscsid.service\nBefore=%s\n' "$(storage_mount_name)"
  printf '\n[Service]\nType=oneshot\nRemainAfterExit=yes\nTimeoutStartSec=120\n'
  for storage_folder in "EDGE_ROOT=$EDGE_ROOT" "EDGE_SYSCONFDIR=$EDGE_SYSCONFDIR" "EDGE_DATADIR=$EDGE_DATADIR" \
    "EDGE_STATEDIR=$EDGE_STATEDIR"; do
    printf 'Environment=%s\n' "$(unit_word "$storage_folder")"
  done
  printf 'ExecStart=/bin/sh %s storage-attach\n' "$(unit_argument "$here/boot.sh")"
  printf 'ExecStop=/bin/sh %s storage-detach\n\n[Install]\nWantedBy=remote-fs.target\n' "$(unit_argument "$here/boot.sh")"
}

storage_apply() { # FILE: makes the next boot do what FILE says; the second call changes nothing
  storage_read "$1" || { echo 'storage.conf holds a value that cannot be applied'; return 1; }
  if [ ! -d "${EDGE_NETROOT:-}/run/systemd/system" ]; then
    [ "$ST_TYPE" = local ] || storage_init_is_enabled || {
      echo 'nothing on this machine would mount remote storage at boot'
      return 1
    }
    return 0
  fi
  if [ "$ST_TYPE" = local ]; then
    storage_units_remove
    return
  fi
  case $EDGE_DATADIR in / | *\\ | *[[:cntrl:]]*) return 1 ;; esac
  storage_unit_put "$(storage_mount_name)" storage_mount_unit || return 1
  if [ "$ST_TYPE" = nfs ]; then
    storage_unit_remove "$STORAGE_SERVICE"
  else
    storage_unit_put "$STORAGE_SERVICE" storage_service_unit
  fi
}

# boot.sh runs from our init script: in a run level of SysV or OpenRC, or as a numbered script of busybox.
storage_init_is_enabled() {
  for storage_link in "${EDGE_NETROOT:-}"/etc/rc[2-5S].d/S*edge-admin "${EDGE_NETROOT:-}"/etc/rc.d/rc[2-5S].d/S*edge-admin \
    "${EDGE_NETROOT:-}"/etc/init.d/S[0-9]*edge-admin "${EDGE_NETROOT:-}"/etc/runlevels/*/edge-admin; do
    [ ! -x "$storage_link" ] || return 0
  done
  return 1
}

storage_unit_put() { # NAME RENDERER
  storage_file=$STORAGE_UNITS/$1
  if [ -e "$storage_file" ] || [ -L "$storage_file" ]; then
    storage_unit_is_ours "$storage_file" || { echo "a unit of that name is not ours: $1"; return 1; }
  fi
  mkdir -p "$STORAGE_UNITS/remote-fs.target.wants" || return 1
  "$2" | put "$storage_file" 644 || return 1
  ln -sf "../$1" "$STORAGE_UNITS/remote-fs.target.wants/$1" && sync_path "$STORAGE_UNITS/remote-fs.target.wants"
}

storage_unit_is_ours() { # FILE
  [ -f "$1" ] && [ ! -L "$1" ] && [ "$(head -n 1 "$1")" = "$STORAGE_MARK" ]
}

storage_unit_remove() { # NAME
  ! storage_unit_is_ours "$STORAGE_UNITS/$1" ||
    { rm -f "$STORAGE_UNITS/remote-fs.target.wants/$1" "$STORAGE_UNITS/$1" && sync_path "$STORAGE_UNITS"; }
}

storage_units_remove() {
  storage_unit_remove "$(storage_mount_name)" && storage_unit_remove "$STORAGE_SERVICE"
}
