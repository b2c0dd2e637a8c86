#!/bin/sh
# The start-up work that systemd does not do: `boot.sh network|storage|storage-attach|storage-detach`. The init script
# calls the first two, the unit edge-admin-storage.service the last two. Secrets are read from storage.conf and written
# to files that only root can read; they are never arguments of a program.
if [ -z "${EDGE_ROOT:-}" ] || [ -n "${SUDO_UID:-}" ]; then
  unset EDGE_NETROOT
  # shellcheck source=/dev/null
  . "$(dirname -- "$0")/settings"
fi
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=conf.sh
. "$here/conf.sh"
# shellcheck source=clock.sh
. "$here/clock.sh"
# shellcheck source=network-apply.sh
. "$here/network-apply.sh"
# shellcheck source=storage-units.sh
. "$here/storage-units.sh"

STORAGE_CONF=$EDGE_SYSCONFDIR/storage.conf
STORAGE_LINK=${EDGE_NETROOT:-}$STORAGE_DEVICE
# Records what is attached: the options may have changed when it is detached.
STORAGE_ATTACHED=$STORAGE_LINK.attached
NBD_DEVICE=/dev/nbd0

stop() { # TEXT
  echo "edge-admin: $1" >&2
  exit 1
}

wait_for() { # PATH: a device that the kernel is about to make
  wait_round=0
  until [ -e "${EDGE_NETROOT:-}$1" ]; do
    [ "$wait_round" -lt "${WAIT_SECONDS:-30}" ] || return 1
    sleep 1
    wait_round=$((wait_round + 1))
  done
}

storage_link() { # DEVICE
  wait_for "$1" || stop "the device did not appear: $1"
  ln -sfn "$1" "$STORAGE_LINK"
}

# Not in a test: busybox uses its own modprobe whatever PATH says.
load_module() { [ -n "${EDGE_NETROOT:-}" ] || modprobe "$1" 2>/dev/null || :; } # NAME

# The record of a target, where the packages keep it. We write its CHAP lines into the file instead of passing them as
# arguments.
iscsi_record() { # TARGET IP
  for iscsi_folder in "${EDGE_NETROOT:-}/etc/iscsi/nodes/$1" "${EDGE_NETROOT:-}/var/lib/iscsi/nodes/$1"; do
    [ -d "$iscsi_folder" ] || continue
    find "$iscsi_folder" -type f -path "*/$2,*" | while read -r iscsi_file; do
      chmod 600 "$iscsi_file"
      {
        grep -v -e '^node.session.auth.authmethod ' -e '^node.session.auth.username ' -e '^node.session.auth.password ' \
          -e '^# END RECORD' "$iscsi_file"
        if [ -n "$ST_USER" ]; then
          printf 'node.session.auth.authmethod = CHAP\n'
          printf 'node.session.auth.username = %s\nnode.session.auth.password = %s\n' "$ST_USER" "$ST_PASSWORD"
        fi
        printf '# END RECORD\n'
      } >"$iscsi_file.edge-admin" && chmod 600 "$iscsi_file.edge-admin" && mv -f "$iscsi_file.edge-admin" "$iscsi_file" ||
        exit 1
    done || return 1
  done
}

attach() {
  storage_read "$STORAGE_CONF" || stop 'storage.conf cannot be used'
  mkdir -p "$(dirname -- "$STORAGE_LINK")"
  printf '%s %s %s\n' "$ST_TYPE" "$ST_TARGET" "$ST_IP" >"$STORAGE_ATTACHED"
  case $ST_TYPE in
    iscsi)
      ST_USER=$(conf_value "$STORAGE_CONF" username)
      ST_PASSWORD=$(conf_value "$STORAGE_CONF" password)
      attach_portal=$(storage_host "$ST_IP"):3260
      umask 077
      iscsiadm -m node -T "$ST_TARGET" -p "$attach_portal" -o new >/dev/null || stop 'the iSCSI target could not be recorded'
      iscsi_record "$ST_TARGET" "$ST_IP" || stop 'the iSCSI record could not be written'
      # 15: there is a session already.
      iscsiadm -m node -T "$ST_TARGET" -p "$attach_portal" --login || [ $? -eq 15 ] || stop 'the iSCSI log-in failed'
      storage_link "/dev/disk/by-path/ip-$ST_IP:3260-iscsi-$ST_TARGET-lun-0"
      ;;
    nbd)
      load_module nbd
      nbd-client -N "$ST_EXPORT" "$ST_IP" "$ST_PORT" "$NBD_DEVICE" 9>&- || stop 'the NBD export could not be attached'
      storage_link "$NBD_DEVICE"
      ;;
    aoe)
      load_module aoe
      ! command -v aoe-discover >/dev/null 2>&1 || aoe-discover
      storage_link "/dev/etherd/$ST_DEVICE"
      ;;
  esac
}

detach() {
  read -r detach_type detach_target detach_ip 2>/dev/null <"$STORAGE_ATTACHED" || return 0
  rm -f "$STORAGE_LINK" "$STORAGE_ATTACHED"
  case $detach_type in
    iscsi) iscsiadm -m node -T "$detach_target" -p "$(storage_host "$detach_ip"):3260" --logout ;;
    nbd) nbd-client -d "$NBD_DEVICE" ;;
  esac
}

has_systemd() { [ -d "${EDGE_NETROOT:-}/run/systemd/system" ]; }

case ${1:-} in
  network)
    if ! has_systemd && [ ! -f "$EDGE_ROOT/bin/network.sh" ] && [ -f "$EDGE_SYSCONFDIR/network.conf" ]; then
      network_apply "$EDGE_SYSCONFDIR/network.conf"
    fi
    ;;
  storage)
    if ! has_systemd && [ ! -f "$EDGE_ROOT/bin/storage.sh" ] && [ -f "$STORAGE_CONF" ]; then
      attach
      case $ST_TYPE in
        local) ;;
        nfs) mount -t nfs -o "$ST_OPTIONS" "$(storage_host "$ST_IP"):$ST_SHARE" "$EDGE_DATADIR" ;;
        *) mount "$STORAGE_LINK" "$EDGE_DATADIR" ;;
      esac
    fi
    ;;
  storage-attach) attach ;;
  storage-detach) detach ;;
  *)
    echo "usage: $0 network|storage|storage-attach|storage-detach" >&2
    exit 64
    ;;
esac
