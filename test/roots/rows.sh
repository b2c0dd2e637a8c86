# shellcheck shell=sh
# A row of the table: what was tried, and whether it went well. Sourced. A newcomer's trap: a row runs in a subshell, which its first failing command
# ends; what the next row has to know goes into a file.

note() { printf 'note %s: %s\n' "$NAME" "$1"; }

row() { # TEXT COMMAND...
  row_text=$1
  shift
  row_code=0
  # Only a subshell that nobody asks for its status on the same line obeys its own `set -e`.
  set +e
  (
    set -e
    "$@"
  ) >"$WORK/said" 2>&1
  row_code=$?
  set -e
  if [ "$row_code" -eq 0 ]; then
    printf 'ok   %s: %s\n' "$NAME" "$row_text" | tee -a "$TMPDIR/rows"
  else
    printf 'FAIL %s: %s\n' "$NAME" "$row_text" | tee -a "$TMPDIR/rows"
    { tail -n 20 "$WORK/said" && newest_task; } | cut -c 1-400 | sed 's/^/     | /'
  fi
}

newest_task() { # what the last task of the appliance said: a row that failed may have started it
  # shellcheck disable=SC2012 # names of ours
  newest=$(ls -1d "$BOX"/var/lib/edge-admin/tasks/*/ 2>/dev/null | tail -n 1)
  [ -n "$newest" ] || return 0
  echo "the newest task, ${newest#"$BOX"}:"
  tail -n 10 "$newest/log" 2>/dev/null || :
}

fault() {
  echo "$1"
  return 1
}
same() { # EXPECTED FOUND
  [ "$1" = "$2" ] || fault "expected $1, found $2"
}
file_holds() { # FILE TEXT: a file of the root
  grep -qF -- "$2" "$BOX$1" || { echo "$1 does not hold $2:"; tail -n 20 "$BOX$1"; return 1; }
}
