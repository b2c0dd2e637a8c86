# shellcheck shell=sh
# Where the rig keeps what it built, and by which key. Sourced. A newcomer's trap: a folder of the cache appears under its final name only
# when it is whole, so a file that is there is a file to use; a half-built one keeps a name of its own and is thrown away.
SUITE=trixie
CACHE=${EDGE_VM_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edge-admin-vm}
rig=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

note() { printf 'rig: %s\n' "$1" >&2; }
stop() {
  note "$1"
  exit 1
}

# This machine's own Debian mirror, whichever way its sources are written; empty when it has none.
mirror() {
  if [ -n "${EDGE_VM_MIRROR:-}" ]; then
    printf '%s\n' "$EDGE_VM_MIRROR"
    return
  fi
  cat /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | awk '
    $1 == "URIs:" && !found { found = $2 }
    $1 == "deb" && !found { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { found = $i; break } }
    END { if (found) print found; exit !found }' || :
}

# Ten digits of what decides the content: a changed recipe is another folder.
digest() { cat "$@" | sha256sum | cut -c 1-10; }
kernel_key() { digest "$rig/build-kernel.sh" "$rig/guest/compile.sh" "$rig/guest/initrd"; }
image_key() { { kernel_key && cat "$rig/build-image.sh" "$rig"/guest/* && node --version; } | digest -; }
qemu_key() { digest "$rig/build-qemu.sh"; }

# The finished folder of a part, if there is one: PART-SUITE-VERSIONS-KEY.
finished() { # PART KEY
  for finished_folder in "$CACHE/$1-$SUITE-"*"-$2"; do
    if [ -f "$finished_folder/complete" ]; then
      printf '%s\n' "$finished_folder"
      return 0
    fi
  done
  return 1
}

# Memory when there is plenty: unpacking packages and hundreds of small compilations wait for the disk otherwise.
work_begin() {
  mkdir -p "$CACHE"
  # The rig lets one build run at a time, so these are of builds that were killed.
  for WORK in "$CACHE"/work-* "$CACHE"/new-*; do work_end; done
  WORK=$(mktemp -d "$CACHE/work-XXXXXX")
  trap work_end EXIT
  trap 'exit 130' INT TERM HUP
  if awk '$1 == "MemAvailable:" { exit $2 < 8000000 }' /proc/meminfo; then
    mount -t tmpfs -o size=6g,mode=755 edge-admin-rig "$WORK" || stop 'a tmpfs cannot be mounted'
  fi
  mkdir "$WORK/tmp" "$WORK/out"
}
# What is mounted in there may be this machine's own /proc or /dev: nothing is removed across a mount, and nothing at all while one is left.
work_end() {
  ! grep -qF " $WORK" /proc/self/mounts || umount -R "$WORK" 2>/dev/null || umount -R -l "$WORK"
  grep -qF " $WORK" /proc/self/mounts || rm -rf --one-file-system "$WORK"
}

# Moves OUT into the cache under its name. Other keys stay for a while: another checkout may be using them.
work_done() { # PART VERSIONS KEY
  work_new=$CACHE/new-$1-$$
  rm -rf "$work_new"
  cp -a --sparse=always "$WORK/out" "$work_new"
  date -u +%FT%TZ >"$work_new/complete"
  sync "$work_new"/* 2>/dev/null || sync
  find "$CACHE" -maxdepth 1 -name "$1-$SUITE-*" -mtime +14 -exec rm -rf {} +
  mv "$work_new" "$CACHE/$1-$SUITE-$2-$3"
}

bootstrap() { # MMDEBSTRAP-ARGUMENT...
  TMPDIR=$WORK/tmp mmdebstrap --quiet --components=main,contrib --skip=cleanup/apt \
    --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' --aptopt='Acquire::Check-Date "false"' \
    --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='APT::Sandbox::User "root"' \
    --dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' "$@"
}
