# shellcheck shell=sh
# Collects logs for a download, without the secrets. Sourced by logs.sh and debug.sh, after lib.sh. Log folders belong
# to programs that we do not trust, so files are copied by tar, which never follows a link, and read only from our own
# folder.
# shellcheck source=secrets.sh disable=SC2154 # here: lib.sh
. "$here/secrets.sh"

COLLECT_MOST=268435456 # bytes of one file, unpacked
COLLECT=

collect_begin() { # makes the private work folder
  COLLECT=$EDGE_ROOT/tmp/collect-$TASK_ID
  tar_begin
  {
    # Also those of other tasks: they were killed, since we hold the lock, and contain logs that were not redacted yet.
    mkdir -p "$EDGE_ROOT/tmp" && rm -rf "$EDGE_ROOT"/tmp/collect-* &&
      (umask 077 && mkdir "$COLLECT" "$COLLECT/tree" "$COLLECT/raw") && collect_secrets >"$COLLECT/secrets"
  } || fail E1000 'The logs could not be gathered'
}
collect_end() { rm -rf "$EDGE_ROOT/tmp/collect-$TASK_ID"; }

redact() { LC_ALL=C awk -v "secrets=$COLLECT/secrets" -f "$here/redact.awk"; }

# ---- one file after the other

manifest() { # WORD PATH [REASON]
  printf '%s %s%s\n' "$1" "$2" "${3:+: $3}" | tr -d '\000-\011\013-\037\177' >>"$COLLECT/tree/manifest.txt"
}

# shellcheck disable=SC2094 # both only read
is_text() { tr -d '\000' <"$1" | cmp -s - "$1"; } # FILE

collect_text() { # RAW OUT PATH
  redact <"$1" >"$2" || return 1
  if cmp -s "$1" "$2"; then manifest included "$3"; else manifest redacted "$3"; fi
}

collect_file() { # PATH, absolute
  collect_name=${1#/}
  rm -rf "$COLLECT/raw" && (umask 077 && mkdir "$COLLECT/raw") || return 1
  tar_create -C / -f - "./$collect_name" 2>/dev/null | tar -C "$COLLECT/raw" -xf - 2>/dev/null
  collect_raw=$COLLECT/raw/$collect_name
  if [ -L "$collect_raw" ] || [ ! -f "$collect_raw" ]; then
    manifest skipped "$1" 'not a regular file, or not readable'
    return 0
  fi
  collect_out=$COLLECT/tree/$collect_name
  mkdir -p "$(dirname -- "$collect_out")" || return 1
  case $1 in
    *.gz)
      gzip -dc <"$collect_raw" 2>/dev/null | head -c $((COLLECT_MOST + 1)) >"$COLLECT/raw/unpacked" || :
      collect_raw=$COLLECT/raw/unpacked
      ;;
  esac
  if [ "$(wc -c <"$collect_raw")" -gt "$COLLECT_MOST" ]; then
    manifest skipped "$1" 'too large'
  elif ! is_text "$collect_raw"; then
    manifest skipped "$1" 'not text'
  else
    case $1 in
      *.gz)
        collect_text "$collect_raw" "$COLLECT/raw/clean" "$1" && gzip -nc <"$COLLECT/raw/clean" >"$collect_out" || return 1
        ;;
      *) collect_text "$collect_raw" "$collect_out" "$1" || return 1 ;;
    esac
  fi
}

collect_source() { # PATH, absolute: a file, or everything in a folder
  case $1 in
    /*) ;;
    *) manifest skipped "$1" 'not an absolute path'; return 0 ;;
  esac
  if [ -L "$1" ]; then
    manifest skipped "$1" 'a symbolic link'
    return 0
  fi
  [ -e "$1" ] || { manifest skipped "$1" 'not there'; return 0; }
  find "$1" ! -type d ! -type f >"$COLLECT/list" 2>/dev/null
  while IFS= read -r collect_path; do manifest skipped "$collect_path" 'not a regular file'; done <"$COLLECT/list"
  # A name with a line feed cannot be in a list with one name per line.
  find "$1" -type f ! -name '*
*' ! -path '*
*' >"$COLLECT/list" 2>/dev/null
  while IFS= read -r collect_path; do
    # A file that is listed twice, once through its folder, is collected once.
    grep -qxF -e "$collect_path" "$COLLECT/done" 2>/dev/null && continue
    printf '%s\n' "$collect_path" >>"$COLLECT/done"
    collect_file "$collect_path" || return 1
  done <"$COLLECT/list"
}

pack() { # FOLDER: its content as a tar.gz on standard output, names without a leading slash
  # A pipe only reports the exit status of gzip; a tar that could not read or write everything leaves a mark.
  {
    (
      cd "$1" || exit 1
      set --
      for pack_name in .[!.]* *; do
        [ ! -e "$pack_name" ] || set -- "$@" "$pack_name"
      done
      tar_create -f - -- "$@"
    ) || : >"$COLLECT/pack.failed"
  } | gzip -nc && [ ! -e "$COLLECT/pack.failed" ]
}

# An unreadable list must not count as empty: the archive would lack what it is made for.
collect_list() { # NAME WORDS: etc/NAME as $COLLECT/NAME
  edited "$EDGE_ROOT/etc/$1" >"$COLLECT/$1" 2>"$COLLECT/refused" ||
    fail E1000 "$2: $(head -n 1 "$COLLECT/refused")"
}

# The archive of the logs. The paths in logs.txt are the vendor's; a missing path is left out.
collect_logs() { # OUT [PATH...]: more than the log folder and those paths
  collect_packed=$1
  shift
  [ -f "$EDGE_ROOT/etc/logs.txt" ] || fail E1000 'The list of logs is missing'
  : >"$COLLECT/tree/manifest.txt"
  mkdir -p "$EDGE_ROOT/log"
  collect_source "$EDGE_ROOT/log" || fail E1000 'The logs could not be gathered'
  for collect_listed; do collect_source "$collect_listed" || fail E1000 'The logs could not be gathered'; done
  collect_list logs.txt 'The list of logs cannot be read'
  set -f
  # shellcheck disable=SC2013
  for collect_listed in $(cat "$COLLECT/logs.txt"); do
    set +f
    collect_source "$collect_listed" || fail E1000 'The logs could not be gathered'
    set -f
  done
  set +f
  { pack "$COLLECT/tree" >"$collect_packed" && gzip -t <"$collect_packed"; } || fail E1000 'The logs could not be packed'
}
