#!/bin/sh
# Makes the folders of `"privilege": "sudo"` and gives them their owners: `owners.sh USER`, by root, at installation and whenever it is in
# doubt. A newcomer's trap: what is in etc/ and bin/ now is declared to be root's; look at it first when somebody else could write there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Other folders are named only for an image that is being built (install.sh).
if [ -z "${EDGE_ROOT:-}" ]; then
  # shellcheck source=/dev/null
  . "$here/settings"
fi
user=${1:-}
case $user in
  '' | *[!A-Za-z0-9._-]* | -*)
    echo "usage: $0 USER" >&2
    exit 64
    ;;
esac
group=$(id -g "$user")
umask 022

folder() { # MODE OWNER PATH
  [ ! -L "$3" ] || [ -d "$3" ] || { echo "a link to nowhere: $3" >&2; exit 1; }
  mkdir -p "$3"
  chown "$2:$group" "$3"
  chmod "$1" "$3"
}

# Whose they were before this was run for the first time: `edge-admin export-original` gives them back. EDGE_PREFIX is where an image is built.
before=$EDGE_STATEDIR/owners-before
[ -d "$EDGE_STATEDIR" ] || mkdir -p "$EDGE_STATEDIR"
[ -e "$before" ] || [ -L "$before" ] || (
  umask 077
  for path in "$EDGE_ROOT" "$EDGE_ROOT/bin" "$EDGE_ROOT/etc" "$EDGE_ROOT/log" "$EDGE_ROOT/tmp" "$EDGE_ROOT/home/sftp/uploads" \
    "$EDGE_SYSCONFDIR" "$EDGE_SYSCONFDIR/pki" "$EDGE_SYSCONFDIR/pki/tls" "$EDGE_SYSCONFDIR/pki/tls/private" \
    "$EDGE_SYSCONFDIR/pki/tls/certs"; do
    { [ -d "$path" ] && [ ! -L "$path" ]; } || continue
    printf '%s %s\n' "$(stat -c '%u %g %a' "$path")" "${path#"${EDGE_PREFIX:-}"}"
  done >"$before.new"
  mv -f "$before.new" "$before"
)

# Shared: sticky, so that neither can replace what the other made; set-group-id, so that the server may read what root writes.
for shared in "$EDGE_ROOT/etc" "$EDGE_ROOT/log" "$EDGE_ROOT/home/sftp/uploads" "$EDGE_STATEDIR" \
  "$EDGE_SYSCONFDIR/pki/tls/private" "$EDGE_SYSCONFDIR/pki/tls/certs"; do
  folder 3770 0 "$shared"
done
# Root's, for the server to read.
for read_only in "$EDGE_STATEDIR/locks" "$EDGE_STATEDIR/work" "$EDGE_ROOT/tmp"; do folder 2750 0 "$read_only"; done
# The server's.
for own in "$EDGE_STATEDIR/tasks" "$EDGE_STATEDIR/incoming" "$EDGE_ROOT/tmp/incoming"; do folder 0750 "$user" "$own"; done
# Root's alone to change.
mkdir -p "$EDGE_ROOT/bin"
for path in "$EDGE_ROOT" "$EDGE_ROOT/bin" "$EDGE_SYSCONFDIR" "$EDGE_SYSCONFDIR/pki" "$EDGE_SYSCONFDIR/pki/tls"; do
  chown 0 "$path"
  chmod go-w,a+rx "$path"
done
for path in "$EDGE_ROOT"/bin/*; do
  { [ -f "$path" ] && [ ! -L "$path" ]; } || continue
  chown 0 "$path"
  chmod go-w "$path"
done
for path in "$EDGE_ROOT"/etc/*; do
  { [ -f "$path" ] && [ ! -L "$path" ]; } || continue
  case ${path##*/} in
    api.token | api.token.setup | metrics.token | license.asc) chown -h "$user:$group" "$path" ;;
    updates.key)
      chown 0:0 "$path"
      chmod 600 "$path"
      ;;
    *)
      chown "0:$group" "$path"
      chmod g+r,go-w "$path"
      ;;
  esac
done
# What commands leave for the server's audit log.
for entries in "$EDGE_ROOT/etc/entries" "$EDGE_STATEDIR/entries"; do
  { [ -d "$entries" ] && [ ! -L "$entries" ]; } || continue
  chown -h "$user:$group" "$entries"
  for path in "$entries"/*; do
    [ ! -f "$path" ] || chown -h "$user:$group" "$path"
  done
done
for path in "$EDGE_SYSCONFDIR/pki/tls/private/enterprise.key" "$EDGE_SYSCONFDIR/pki/tls/certs/enterprise.crt"; do
  [ ! -f "$path" ] || { chgrp "$group" "$path" && chmod g+r "$path"; }
done
