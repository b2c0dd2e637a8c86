# shellcheck shell=sh
# Runs the vendor's own scripts (docs/vendors.md has their contract). Sourced by lib.sh. Such a script may leave a
# service running that keeps its output open, so only the process that reads that output waits for its end.

HOOK_MOST=262144 # bytes of output kept
HOOK_FAULT=

hook() { # NAME ARGUMENT...: 127 when there is none. HOOK_FAULT says what was wrong, and so does the last line of the log
  HOOK_FAULT=
  hook_name=$1.sh
  hook_file=$EDGE_ROOT/bin/$hook_name
  shift
  [ -f "$hook_file" ] || return 127
  hook_rc=126
  if is_ours "$hook_file"; then
    hook_rc=0
    hook_run "$hook_file" "$@" || hook_rc=$?
    [ "$hook_rc" -ne 0 ] || return 0
    HOOK_FAULT=$(hook_fault "$hook_rc")
  else
    HOOK_FAULT="$hook_name is not root's own, and was not run"
  fi
  rm -f "$TASK/late"
  printf '%s\n' "$HOOK_FAULT"
  # The hook exists, whatever was missing when it ran.
  [ "$hook_rc" -ne 127 ] || hook_rc=126
  return "$hook_rc"
}

hook_run() { # FILE ARGUMENT...
  rm -f "$TASK/late" "$TASK/hook-read"
  hook_pipe=$TASK/.hook.$$
  rm -f "$hook_pipe"
  # On a full disk no pipe can be made, but the old settings have to be restored all the same.
  mkfifo -m 600 "$hook_pipe" 2>/dev/null || {
    (limited "$EDGE_HOOK_SECONDS" hook_start "$@")
    return
  }
  hook_read <"$hook_pipe" &
  hook_run_rc=0
  (limited "$EDGE_HOOK_SECONDS" hook_start "$@" >"$hook_pipe" 2>&1) || hook_run_rc=$?
  rm -f "$hook_pipe"
  # Its output is in the log before ours. A service that keeps its output open also keeps that process.
  hook_tries=0
  until [ -e "$TASK/hook-read" ] || [ "$hook_tries" -ge 50 ]; do
    sleep 0.02 2>/dev/null || { sleep 1 && hook_tries=50; }
    hook_tries=$((hook_tries + 1))
  done
  rm -f "$TASK/hook-read"
  return "$hook_run_rc"
}
# The signals that we ignore while a task ends must not be ignored by services that it starts.
hook_start() (
  trap - INT TERM HUP
  exec "$@"
)
hook_read() {
  exec 9>&-
  trap - INT TERM HUP
  # Byte by byte: buffered output would come too late, or never if a service keeps the output open.
  dd bs=1 count="$HOOK_MOST" 2>/dev/null
  hook_end=$(tail -c 2048 | tr -d '\000')
  [ -z "$hook_end" ] || printf '\n%s printed more than %d bytes; all but the end of the rest is left out:\n%s\n' "$hook_name" "$HOOK_MOST" "$hook_end"
  : >"$TASK/hook-read"
}

hook_fault() { # EXIT-STATUS: a sentence
  case $1 in
    126 | 127)
      if [ ! -x "$hook_file" ]; then
        printf '%s is not executable' "$hook_name"
        return
      fi
      hook_reason=$(script_fault "$hook_file" "$hook_name")
      [ -z "$hook_reason" ] || { printf '%s' "$hook_reason"; return; }
      ;;
    129 | 1[3-9]?)
      if [ -e "$TASK/late" ]; then
        printf '%s took longer than %d seconds, and was ended' "$hook_name" "$EDGE_HOOK_SECONDS"
      else
        printf '%s was ended by signal %d' "$hook_name" "$(($1 - 128))"
      fi
      return
      ;;
  esac
  printf '%s ended with exit status %d' "$hook_name" "$1"
}
with_fault() { printf '%s%s' "$1" "${HOOK_FAULT:+: $HOOK_FAULT}"; } # TEXT: of a task, with what was wrong with its hook

# Reports damage by Windows editors and a missing interpreter; prints nothing if neither is the cause.
script_fault() { # FILE NAME
  fault_line=$(head -n 1 "$1" | tr -d '\000' | cut -c 1-255)
  fault_end=$(printf '\r')
  case $(head -c 4 "$1" | od -A n -t x1 | tr -d ' \n') in
    7f454c46) ;; # a program, which may hold any bytes
    efbbbf*) printf '%s begins with a byte order mark' "$2" ;;
    fffe* | feff*) printf '%s is UTF-16' "$2" ;;
    *)
      case $fault_line in
        *"$fault_end") printf 'the lines of %s end in CR LF' "$2" ;;
        '#!'*)
          fault_program=$(printf '%s' "${fault_line#??}" | sed 's/^[[:blank:]]*//; s/[[:blank:]].*//' | tr -cd ' -~')
          [ -e "$fault_program" ] || printf 'the interpreter of %s is not here: %s' "$2" "$fault_program"
          ;;
      esac
      ;;
  esac
}
