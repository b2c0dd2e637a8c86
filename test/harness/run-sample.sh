#!/bin/sh
# `make run`: serves a sample appliance from ./var (or $VAR) on port $PORT, in the foreground; with FAKES=1 its storage is fakes of ours, on
# disks that do not exist. The server ends with this script, and this script with the one that started it, however that ends: a server that
# nobody sees any more would hold the port.
set -eu
cd "$(dirname -- "$0")/../.."
var=${VAR:-$PWD/var}
port=${PORT:-8443}
url=https://127.0.0.1:$port
case $port in '' | *[!0-9]*) port=none ;; esac
if [ "$port" = none ] || [ "$port" -lt 1 ] || [ "$port" -gt 65535 ]; then
  echo 'edge-admin: PORT is a number from 1 to 65535' >&2
  exit 64
fi

taken() {
  echo "edge-admin: port $port is taken: end the program that has it, or choose another port with  make run PORT=9443" >&2
  exit 75
}
answers() { # curl's 7: nobody is there
  rc=0
  curl -sk -m 5 -o /dev/null "$url/" || rc=$?
  [ "$rc" -ne 7 ]
}
! answers || taken

# It adds what is missing, and nothing where everything is there.
scripts/edge-admin init --root "$var" --sample >/dev/null

set -- --root "$var" --sysconfdir "$var/sysconf" --datadir "$var/data" --statedir "$var/state" --port "$port"
case ${FAKES:-} in
  '' | 0 | no) FAKES= ;;
  *)
    placed=$(node_modules/.bin/tsx test/fakes/place.ts "$var/fakes" --disks)
    # The sample's own configuration, but no file of this machine is written for NFS.
    node -e '
      const { readFileSync, writeFileSync } = require("node:fs")
      const [, from, to, folder] = process.argv
      const config = JSON.parse(readFileSync(from, "utf8"))
      config.storage = { ...config.storage, "exports-folder": folder }
      writeFileSync(to, JSON.stringify(config))' \
      "$var/sysconf/edge-admin.json" "$var/fakes/edge-admin.json" "$(printf '%s\n' "$placed" | sed -n 's/^exports=//p')"
    set -- "$@" --config "$var/fakes/edge-admin.json" --programs "$(printf '%s\n' "$placed" | sed -n 's/^programs=//p')"
    ;;
esac

scripts/edge-admin serve "$@" &
pid=$!
trap 'kill "$pid" 2>/dev/null' INT TERM HUP

# Who started this may be ended in a way that no signal comes from.
(
  trap - INT TERM HUP
  while kill -0 "$PPID" 2>/dev/null && kill -0 "$pid" 2>/dev/null; do sleep 1; done
  kill "$pid" 2>/dev/null
) &

left=100
until [ "$left" -eq 0 ] || ! kill -0 "$pid" 2>/dev/null || answers; do
  left=$((left - 1))
  sleep 0.1 2>/dev/null || sleep 1
done

phrase=$var/etc/api.token.setup
certificate=$var/sysconf/pki/tls/certs/enterprise.crt
if kill -0 "$pid" 2>/dev/null; then
  printf '\nEdge Admin serves a sample appliance on %s (its manual: %s/docs). Ctrl-C ends it.\n' "$url" "$url"
  if [ -n "$FAKES" ]; then
    printf 'Its storage is FAKE: zpool, zfs, Samba, NFS and iSCSI are programs of ours (test/fakes) that only write down what they are told.\n'
    printf 'There are twelve disks to build pools of; what you do with them lies in %s.\n' "$var/fakes"
  elif ! [ -c /dev/zfs ]; then
    printf 'This machine has no ZFS: pages about storage say so.  make run FAKES=1  tries them on disks that do not exist.\n'
  fi
  if [ -s "$phrase" ]; then
    printf 'The one-time set-up phrase lies in %s. Set your own token with it, from another terminal:\n\n' "$phrase"
    # shellcheck disable=SC2016
    printf '  curl --cacert "%s" -F newtoken=my-own-token "%s/api/v1/admin/setup?token=$(cat "%s")"\n\n' "$certificate" "$url" "$phrase"
  else
    printf 'Its token is set. A first signed call, from another terminal:\n\n'
    # shellcheck disable=SC2016
    printf '  curl --cacert "%s" "%s/api/v1/admin/version?hash=$(printf GET/api/v1/admin/version | openssl dgst -sha256 -hmac "$(cut -d" " -f2 "%s")" -r | cut -d" " -f1)"\n\n' \
      "$certificate" "$url" "$var/etc/api.token"
  fi
  password=$var/state/admin.password
  if [ -s "$password" ]; then
    printf 'Accounts and storage: log in as admin with the one-time password %s (it lies in %s):\n\n' "$(cat "$password")" "$password"
    # shellcheck disable=SC2016
    printf '  curl --cacert "%s" %s/api/v1/auth/login -H "Content-Type: application/json" -d "{\\"username\\":\\"admin\\",\\"password\\":\\"$(cat "%s")\\"}"\n\n' \
      "$certificate" "$url" "$password"
  fi
fi

status=0
wait "$pid" || status=$?
# A signal ends the first wait; the server still has to finish.
if kill -0 "$pid" 2>/dev/null; then
  status=0
  wait "$pid" || status=$?
fi
# The same status when another server has $var: that one is not at this port.
[ "$status" -ne 75 ] || ! answers || taken
exit "$status"
