#!/bin/sh
# Creates the folders of `"privilege": "sudo"` and sets their owners: `owners.sh USER`, run by root at installation and
# whenever the owners may be wrong. Everything that is in etc/ and bin/ at that time is made root's; check it first if
# somebody else could write there.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# Other folders are given only for an image that is being built (install.sh).
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

# Root's, with this name only: in a sticky folder of root's nobody else can replace it after this check.
is_roots() { [ -n "$(find "$1" -prune -type "$2" -user 0 -links 1)" ]; } # PATH f|l

# The server may be running, and owns some of them: a folder that it replaced with a link after the check is not in its
# place.
folder() { # MODE OWNER PATH: a link of root's is followed
  folder_link=
  [ ! -L "$3" ] || { is_roots "$3" l && folder_link=1; } || { echo "a link that is not root's, look who laid it there: $3" >&2; exit 1; }
  mkdir -p "$3"
  (
    cd -P "$3"
    folder_above=$(cd -P "${3%/*}/" && pwd -P)
    [ -n "$folder_link" ] || [ "$(pwd -P)" = "${folder_above%/}/${3##*/}" ] || { echo "not a folder in its place: $3" >&2; exit 1; }
    chown "$2:$group" .
    chmod "$1" .
  )
}

was_shared=$(find -H "$EDGE_ROOT/etc" -prune -type d -user 0 -perm -3770 2>/dev/null) || :
folder 3770 0 "$EDGE_STATEDIR"
folder 2750 0 "$EDGE_STATEDIR/work"

# Records the owners before the first run: `edge-admin export-original` restores them. EDGE_PREFIX is the image that is
# being built.
before=$EDGE_STATEDIR/owners-before
[ -e "$before" ] || [ -L "$before" ] || (
  umask 077
  # In the shared folder somebody may have put a link under any name.
  new=$(mktemp -d "$EDGE_STATEDIR/work/owners.XXXXXX")
  for path in "$EDGE_ROOT" "$EDGE_ROOT/bin" "$EDGE_ROOT/etc" "$EDGE_ROOT/log" "$EDGE_ROOT/tmp" "$EDGE_ROOT/home/sftp/uploads" \
    "$EDGE_SYSCONFDIR" "$EDGE_SYSCONFDIR/pki" "$EDGE_SYSCONFDIR/pki/tls" "$EDGE_SYSCONFDIR/pki/tls/private" \
    "$EDGE_SYSCONFDIR/pki/tls/certs"; do
    { [ -d "$path" ] && [ ! -L "$path" ]; } || continue
    printf '%s %s\n' "$(stat -c '%u %g %a' "$path")" "${path#"${EDGE_PREFIX:-}"}"
  done >"$new/before"
  mv -fT "$new/before" "$before"
  rm -rf "$new"
)

# Shared: sticky, so that neither user can replace the other's files; set-group-id, so that the server can read what
# root writes.
for shared in "$EDGE_ROOT/etc" "$EDGE_ROOT/log" "$EDGE_ROOT/home/sftp/uploads" "$EDGE_SYSCONFDIR/pki/tls/private" \
  "$EDGE_SYSCONFDIR/pki/tls/certs"; do
  folder 3770 0 "$shared"
done
# Root's, readable by the server.
for read_only in "$EDGE_STATEDIR/locks" "$EDGE_ROOT/tmp"; do folder 2750 0 "$read_only"; done
# The server's.
for own in "$EDGE_STATEDIR/tasks" "$EDGE_STATEDIR/incoming" "$EDGE_ROOT/tmp/incoming"; do folder 0750 "$user" "$own"; done
# Writable by root only.
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
# A foreign file becomes root's only when the folder is shared for the first time: later the server could put it there,
# and keep writing to it.
for path in "$EDGE_ROOT"/etc/*; do
  { [ -f "$path" ] && [ ! -L "$path" ]; } || continue
  case ${path##*/} in
    api.token | api.token.setup | metrics.token | license.asc)
      ! is_roots "$path" f || chown -h "$user:$group" "$path"
      continue
      ;;
    updates.key) owner=0:0 mode=600 ;;
    *) owner=0:$group mode=g+r,go-w ;;
  esac
  if [ -n "$(find "$path" -prune -type f ${was_shared:+-user 0} -links 1)" ]; then
    chown -h "$owner" "$path"
    chmod "$mode" "$path"
  else
    echo "not root's alone, left as it is: $path" >&2
  fi
done
# Entries of root's commands for the audit log. Files that are the server's already are left alone: it could have put a
# link there.
for entries in "$EDGE_ROOT/etc/entries" "$EDGE_STATEDIR/entries"; do
  [ -n "$(find "$entries" -prune -type d -user 0 2>/dev/null)" ] || continue
  chmod go-w "$entries"
  for path in "$entries"/*; do
    { [ -f "$path" ] && is_roots "$path" f; } || continue
    chown -h "$user:$group" "$path"
  done
  chown -h "$user:$group" "$entries"
done
# On an image that runs from memory they are root's links to files on a disk.
for path in "$EDGE_SYSCONFDIR/pki/tls/private/enterprise.key" "$EDGE_SYSCONFDIR/pki/tls/certs/enterprise.crt"; do
  { [ -f "$path" ] && { [ ! -L "$path" ] || is_roots "$path" l; } && [ -n "$(find -H "$path" -prune -type f -user 0 -links 1)" ]; } || continue
  chgrp "$group" "$path"
  chmod g+r "$path"
done
