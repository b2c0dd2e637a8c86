#!/bin/sh
# Lays edge-admin into an image: `DESTDIR=/image PREFIX=/usr sh install.sh` from a checkout (make install) or from the unpacked archive of
# `make dist`; `sh install.sh --uninstall`, with the same variables, takes away what it laid and nothing else. A newcomer's trap: DESTDIR is where
# files are put now, every other folder is a path as the appliance will see it.
set -eu
DESTDIR=${DESTDIR:-}
DESTDIR=${DESTDIR%/}
PREFIX=${PREFIX:-/usr}
ETCDIR=${ETCDIR:-/etc}
SYSCONFDIR=${SYSCONFDIR:-/usr/local/etc}
ROOT=${ROOT:-/opt/jidoteki/tinyadmin}
DATADIR=${DATADIR:-/data}
STATEDIR=${STATEDIR:-/var/lib/edge-admin}
LIBDIR=${LIBDIR:-$PREFIX/lib/edge-admin}
BINDIR=${BINDIR:-$PREFIX/bin}
UNITDIR=${UNITDIR:-$PREFIX/lib/systemd/system}
TMPFILESDIR=${TMPFILESDIR:-$PREFIX/lib/tmpfiles.d}
# For `"privilege": "sudo"`: the unprivileged user that the server runs as, known to this machine and to the appliance by the same number.
SERVER_USER=${SERVER_USER:-}

stop() { # TEXT [STATUS]
  echo "install: $1" >&2
  exit "${2:-1}"
}
case $#${1:-} in
  0 | 1--uninstall) ;;
  *) stop "usage: [NAME=FOLDER]... sh install.sh [--uninstall]" ;;
esac
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
# They end up in a unit, in sudoers and in shell text: none of those may have to quote them.
plain() { # PATH
  case $1 in
    /*) ;;
    *) stop "not an absolute path: $1" ;;
  esac
  case $1 in
    *[!A-Za-z0-9._/-]*) stop "a path may hold letters, digits and . _ - / only: $1" ;;
    */../* | */..) stop "a path without .. please: $1" ;;
  esac
}
for folder in "$PREFIX" "$ETCDIR" "$SYSCONFDIR" "$ROOT" "$DATADIR" "$STATEDIR" "$LIBDIR" "$BINDIR" "$UNITDIR" "$TMPFILESDIR"; do
  plain "$folder"
done

case $SERVER_USER in *[!A-Za-z0-9._-]* | -*) stop "not the name of a user: $SERVER_USER" ;; esac
[ -z "$SERVER_USER" ] || id "$SERVER_USER" >/dev/null 2>&1 || stop "no such user here: $SERVER_USER"
server_group=$([ -z "$SERVER_USER" ] || id -gn "$SERVER_USER")
[ "$SERVER_USER" != root ] || stop 'root needs no sudo'

# What was laid, a path a line as the appliance sees it: files, links, and with a / at its end each folder that was not there before.
LIST=$LIBDIR/installed-files

uninstall() {
  [ -f "$DESTDIR$LIST" ] || stop "nothing of edge-admin is installed in $DESTDIR$LIBDIR: $DESTDIR$LIST is not there"
  # All of it before anything goes.
  while IFS= read -r path; do plain "$path"; done <"$DESTDIR$LIST"
  for link in "$DESTDIR$ETCDIR"/systemd/system/*.wants/edge-admin.service "$DESTDIR$ETCDIR"/rc?.d/S??edge-admin \
    "$DESTDIR$ETCDIR"/runlevels/*/edge-admin; do
    [ ! -L "$link" ] || stop "it still starts at boot: disable it first ($link)"
  done
  settings=$DESTDIR$LIBDIR/scripts/settings
  state=$(installed STATEDIR)
  nobody_needs_it "$DESTDIR$state" "$DESTDIR$(installed DATADIR)"
  kept=
  for name in ROOT SYSCONFDIR DATADIR STATEDIR; do
    folder=$(installed "$name")
    [ ! -d "$DESTDIR$folder" ] || kept="$kept $folder"
  done
  remove_files "$DESTDIR$LIST"
  folders=$(sed -n 's|/$||p' "$DESTDIR$LIST" | LC_ALL=C sort -r)
  rm -f "$settings" "$DESTDIR$LIST"
  for folder in $folders; do
    rmdir "$DESTDIR$folder" 2>/dev/null && continue
    # Something of somebody else's is in it. What is above a kept folder goes without saying.
    case "$kept " in *" $folder "* | *" $folder/"*) ;; *) [ ! -d "$DESTDIR$folder" ] || kept="$kept $folder" ;; esac
  done
  echo "removed from ${DESTDIR:-/}; kept, with the token, the configuration and the data:${kept:- nothing}"
}
# A task outlives the server. To its end it needs these scripts, and to be put back it needs them after its end.
nobody_needs_it() { # STATEDIR DATADIR
  if [ -d "$1/locks" ]; then
    if command -v flock >/dev/null 2>&1; then
      # The server holds this one as long as it lives (src/tasks/server-lock.ts).
      flock -n "$1/locks" true || stop "the server runs: stop it first"
      for lock in "$1"/locks/*.lock; do
        [ ! -f "$lock" ] || flock -n "$lock" true || stop "a task still runs: wait until it ends ($lock)"
      done
    elif [ -z "$DESTDIR" ]; then
      stop "without flock nobody can tell whether the server runs"
    fi
  fi
  for plan in "$1"/work/*/swap/plan.json "$1"/tasks/*/swap/plan.json "$2"/.edge-admin-restore/*/plan.json; do
    [ ! -e "$plan" ] ||
      stop "a task was interrupted while it replaced files. Start the server once: it puts the old files back. If this is said again, copy them from ${plan%/*}/old to their places, and remove ${plan%/*}"
  done
}
remove_files() { # FILE: those that it lists, but not what a removal that was cut off needs to be taken up again: the list and the settings
  while IFS= read -r path; do
    case $path in */ | "$LIST" | "$LIBDIR/scripts/settings") continue ;; esac
    rm -f "$DESTDIR$path" || stop "cannot be removed: $DESTDIR$path"
  done <"$1"
}
installed() { # NAME: the folder that was installed for; what the caller says may be something else
  folder=$(sed -n "s/^EDGE_$1='\\(.*\\)'\$/\\1/p" "$settings" 2>/dev/null) || folder=
  [ -n "$folder" ] || folder=$(eval "printf '%s' \"\$$1\"")
  plain "$folder"
  printf '%s' "$folder"
}
if [ "${1:-}" = --uninstall ]; then
  uninstall
  exit 0
fi

built=$here
[ -f "$built/edge-admin.js" ] || built=$here/dist
program_of() { # EDGE-ADMIN.JS: the folder of lib/ that it starts
  sed -n 's|.*import("\./lib/\([0-9a-f]*\)/main\.js").*|\1|p' "$1" 2>/dev/null || :
}
program=$(program_of "$built/edge-admin.js")
[ -f "$built/lib/${program:-none}/main.js" ] || stop "there is no bundle: run 'make build'"

# Onto this very machine nothing is laid that could not start here. Of an image that says nothing: its node is another one.
# Only a version is a yes: a Node for another processor may end without a word, and a file that is no Node with status 0. What a shell, the
# loader or Node warns of, on standard error, is neither a yes nor a no.
no_node=
status=0
said=$("$here/scripts/edge-admin" --version 2>/dev/null) || status=$?
case $status:$(printf '%s\n' "$said" | sed -n '$p') in
  0:[0-9]*.[0-9]*.[0-9]*) ;;
  *)
    # Once more, for what it says: a refused installation makes no file either, not even a temporary one.
    errors=$("$here/scripts/edge-admin" --version 2>&1 >/dev/null) || :
    refusal=$(printf '%s\n' "$errors" | sed -n 's/^edge-admin: //p' | sed -n '$p')
    if [ "$status" -eq 69 ] && [ -n "$refusal" ]; then
      no_node=$refusal
    else
      needed=$(sed -n 's/.*"node": *">=\([0-9.]*\)".*/\1/p' "$built/package.json")
      first=$(printf '%s\n' "$errors" "$said" | LC_ALL=C sed -n '/./{s/[^[:print:]]//g;p;q;}')
      no_node="this needs Node $needed or newer, and $(command -v node || echo node) ended with status $status${first:+: $first}"
    fi
    ;;
esac
[ -z "$no_node" ] || [ -n "$DESTDIR" ] || stop "$no_node; nothing was installed" 69

umask 022
mkdir -p "$DESTDIR/"
laid=$(mktemp)
trap 'rm -f "$laid"' EXIT
note() { printf '%s\n' "$1" >>"$laid"; }
folder() { # FOLDER, with those above it
  [ ! -d "$DESTDIR$1" ] || return 0
  folder "$(dirname -- "$1")"
  mkdir "$DESTDIR$1"
  note "$1/"
}
copy() { # MODE SOURCE TARGET: whole or not at all, so that a running server or script keeps the text it has open
  folder "$(dirname -- "$3")"
  note "$3"
  cp "$2" "$DESTDIR$3.new"
  chmod "$1" "$DESTDIR$3.new"
  mv -f "$DESTDIR$3.new" "$DESTDIR$3"
}
keep() { # PROGRAM: an older one, listed so that it goes with the rest
  note "$LIBDIR/lib/$1/"
  for file in "$DESTDIR$LIBDIR/lib/$1"/*; do
    note "$LIBDIR/lib/$1/${file##*/}"
  done
}
fill() { # MODE SOURCE TARGET: with the names between @ signs filled in
  filled=$(mktemp)
  sed -e "s|@PREFIX@|$PREFIX|g" -e "s|@LIBDIR@|$LIBDIR|g" -e "s|@BINDIR@|$BINDIR|g" -e "s|@SYSCONFDIR@|$SYSCONFDIR|g" \
    -e "s|@ROOT@|$ROOT|g" -e "s|@DATADIR@|$DATADIR|g" -e "s|@STATEDIR@|$STATEDIR|g" \
    -e "s|@USER@|$SERVER_USER|g" -e "s|@SERVERUSER@|$SERVER_USER|g" -e "s|@GROUP@|$server_group|g" "$2" >"$filled"
  copy "$1" "$filled" "$3"
  rm -f "$filled"
  ! grep -q '@[A-Z][A-Z]*@' "$DESTDIR$3" || stop "a name was not filled in: $3"
}

# The program is a folder that is named for what it holds, lib/DIGEST, and edge-admin.js names the one that is started: once that is replaced, the
# new program runs, whole, and until then the old one. A server that runs loads more of its own later, so the folder before this one stays.
running=$(program_of "$DESTDIR$LIBDIR/edge-admin.js")
for file in "$built/lib/$program"/*; do
  copy 644 "$file" "$LIBDIR/lib/$program/${file##*/}"
done
copy 644 "$built/package.json" "$LIBDIR/package.json"
copy 755 "$built/edge-admin.js" "$LIBDIR/edge-admin.js"
for file in "$built"/console/*; do
  copy 644 "$file" "$LIBDIR/console/${file##*/}"
done
for file in README.md CHANGELOG.md LICENSE NOTICE sbom.json; do
  for source in "$here/$file" "$built/$file"; do
    [ ! -f "$source" ] || copy 644 "$source" "$LIBDIR/$file"
  done
done
for file in "$here"/docs/* "$here"/docs/*/*; do
  [ ! -f "$file" ] || copy 644 "$file" "$LIBDIR/docs/${file#"$here/docs/"}"
done

for source in "$here"/scripts/*; do
  name=${source##*/}
  case $name in
    settings) continue ;;
    *.sh | edge-admin) copy 755 "$source" "$LIBDIR/scripts/$name" ;;
    *) copy 644 "$source" "$LIBDIR/scripts/$name" ;;
  esac
done
fill 644 "$here/etc/scripts-settings.in" "$LIBDIR/scripts/settings"
copy 644 "$here/etc/eff-large-wordlist.txt" "$LIBDIR/etc/eff-large-wordlist.txt"
copy 644 "$here/etc/eff-large-wordlist.README" "$LIBDIR/etc/eff-large-wordlist.README"
copy 644 "$here/etc/grafana/edge-admin.json" "$LIBDIR/etc/grafana/edge-admin.json"
copy 644 "$here/etc/edge-admin.json.example" "$SYSCONFDIR/edge-admin.json.example"

folder "$BINDIR"
note "$BINDIR/edge-admin"
ln -sfn "$LIBDIR/scripts/edge-admin" "$DESTDIR$BINDIR/edge-admin"
fill 644 "$here/etc/edge-admin.service" "$UNITDIR/edge-admin.service"
# Where the manuals look for them.
for file in "$UNITDIR/edge-admin.service" "$SYSCONFDIR/edge-admin.json.example"; do
  link=$LIBDIR/etc/${file##*/}
  [ "$file" = "$link" ] || { note "$link" && ln -sfn "$file" "$DESTDIR$link"; }
done
if [ -n "$SERVER_USER" ]; then
  fill 644 "$here/etc/edge-admin-sudo.tmpfiles" "$TMPFILESDIR/edge-admin.conf"
  fill 644 "$here/etc/edge-admin-sudo.conf" "$UNITDIR/edge-admin.service.d/sudo.conf"
else
  fill 644 "$here/etc/edge-admin.tmpfiles" "$TMPFILESDIR/edge-admin.conf"
fi
fill 755 "$here/etc/edge-admin.init" "$ETCDIR/init.d/edge-admin"
# Who gets root's rights for our scripts was asked for by name, or is nobody.
if [ -n "$SERVER_USER" ]; then
  fill 440 "$here/etc/sudoers.edge-admin" "$ETCDIR/sudoers.d/edge-admin"
else
  rm -f "$DESTDIR$ETCDIR/sudoers.d/edge-admin"
fi
fill 644 "$here/etc/logrotate.edge-admin" "$ETCDIR/logrotate.d/edge-admin"

# Of several updates without a restart, none but the first found the program that still runs in its place.
server_runs() {
  [ -d "$DESTDIR$STATEDIR/locks" ] && command -v flock >/dev/null 2>&1 && ! flock -n "$DESTDIR$STATEDIR/locks" true
}
# Installed again, the program before this one may still be the one that runs.
for other in "$DESTDIR$LIBDIR"/lib/*/; do
  name=${other%/}
  name=${name##*/}
  case $name in
    "$program") ;;
    "$running") keep "$name" ;;
    *) if [ "$running" = "$program" ] || server_runs; then keep "$name"; else rm -rf "$other"; fi ;;
  esac
done

# What an earlier version laid, or one for other folders, and this one does not.
note "$LIST"
if [ -f "$DESTDIR$LIST" ]; then
  while IFS= read -r path; do
    plain "$path"
    grep -qxF -- "$path" "$laid" || case $path in
      */) [ ! -d "$DESTDIR$path" ] || note "$path" ;;
      *) rm -f "$DESTDIR$path" ;;
    esac
  done <"$DESTDIR$LIST"
fi
LC_ALL=C sort -u "$laid" >"$DESTDIR$LIST.new"
mv -f "$DESTDIR$LIST.new" "$DESTDIR$LIST"

# The appliance's own folders, as `edge-admin init` makes them; what is there keeps its mode and its owner.
own() { # MODE PATH
  [ -d "$DESTDIR$2" ] || [ -L "$DESTDIR$2" ] || { mkdir -p "$DESTDIR$(dirname -- "$2")" && mkdir -m "$1" "$DESTDIR$2"; }
}
own 755 "$ROOT"
own 750 "$ROOT/etc"
own 750 "$ROOT/log"
own 700 "$ROOT/tmp"
own 755 "$ROOT/bin"
own 750 "$ROOT/home/sftp/uploads"
own 755 "$SYSCONFDIR"
own 755 "$DATADIR"
own 700 "$STATEDIR"
if [ -n "$SERVER_USER" ]; then
  EDGE_ROOT=$DESTDIR$ROOT EDGE_SYSCONFDIR=$DESTDIR$SYSCONFDIR EDGE_STATEDIR=$DESTDIR$STATEDIR EDGE_PREFIX=$DESTDIR \
    "$DESTDIR$LIBDIR/scripts/owners.sh" "$SERVER_USER"
fi
echo "installed in ${DESTDIR:-/}: $LIBDIR, $BINDIR/edge-admin, $UNITDIR/edge-admin.service, $ETCDIR/init.d/edge-admin"
[ -z "$no_node" ] || echo "install: $no_node; the image has to bring one" >&2
