#!/bin/sh
# Makes the encrypted debug bundle: `debug.sh run TASKDIR` leaves uploads/debug-bundle.tar, which only the vendor can
# read. The commands are the vendor's (etc/debug.txt), each up to its first semicolon; no input of a caller ever reaches
# them.
LOCK=logs
NEEDS='gzip openssl tar wc'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=collect.sh
. "$here/collect.sh"

COMMAND_SECONDS=60
COMMAND_MOST=16777216 # bytes of output kept

run_commands() { # FOLDER
  commands_number=0
  while IFS= read -r commands_line || [ -n "$commands_line" ]; do
    commands_line=${commands_line%%;*}
    case $commands_line in
      *[![:space:]]*) ;;
      *) continue ;;
    esac
    case $commands_line in '#'*) continue ;; esac
    commands_number=$((commands_number + 1))
    {
      printf 'Running: %s\n' "$commands_line"
      timeout -s KILL "$COMMAND_SECONDS" sh -c "$commands_line" </dev/null 2>&1 9>&-
      # A process that the command left behind may hold the pipe forever.
    } | timeout -s KILL "$((COMMAND_SECONDS + 5))" cat 9>&- | head -c "$COMMAND_MOST" >"$COLLECT/raw/output"
    tr -d '\000' <"$COLLECT/raw/output" | redact >"$1/debug-$commands_number.log" || return 1
    printf 'debug-%d.log %s\n' "$commands_number" "$commands_line" | redact >>"$1/manifest.txt"
  done <"$COLLECT/debug.txt"
}

encrypt_for_vendor() { # FILE FOLDER: FILE.enc and debug.key.enc in FOLDER
  (umask 077 && head -c 32 /dev/urandom | openssl base64 >"$COLLECT/debug.key") &&
    [ "$(wc -c <"$COLLECT/debug.key")" -eq 45 ] &&
    openssl pkeyutl -encrypt -pubin -inkey "$EDGE_ROOT/etc/updates.pub" -pkeyopt rsa_padding_mode:pkcs1 \
      -in "$COLLECT/debug.key" -out "$2/debug.key.enc" </dev/null &&
    openssl enc -aes-256-cbc -md sha256 -pbkdf2 -salt -pass "file:$COLLECT/debug.key" \
      -in "$1" -out "$2/$(basename -- "$1").enc" </dev/null
}

run() {
  log_line update_debug.log 'Gathering debug information. Please wait..'
  checkpoint debug-started
  [ -f "$EDGE_ROOT/etc/debug.txt" ] || fail E1000 'The list of debug commands is missing'
  [ -f "$EDGE_ROOT/etc/updates.pub" ] || fail E1000 'The key of the debug bundle is missing'
  debug_fault=$(fault_of "$EDGE_ROOT/etc/updates.pub") || fail E1000 "The key of the debug bundle cannot be read: $debug_fault: updates.pub"
  collect_begin
  collect_list debug.txt 'The list of debug commands cannot be read'
  (umask 077 && mkdir "$COLLECT/debug" "$COLLECT/bundle") || fail E1000 'The debug bundle could not be made'
  # The newest part of the audit log: the current segment, and the previous one.
  set -- "$EDGE_STATEDIR"/audit/[0-9]*.log
  while [ $# -gt 2 ]; do shift; done
  collect_logs "$COLLECT/debug/logs.tar.gz" "$@" "$EDGE_STATEDIR/audit/checkpoint"
  cp "$COLLECT/tree/manifest.txt" "$COLLECT/debug/manifest.txt"
  checkpoint debug-logs

  step 40 'running the debug commands'
  { rm -rf "$COLLECT/raw" && (umask 077 && mkdir "$COLLECT/raw") && run_commands "$COLLECT/debug"; } ||
    fail E1000 'The debug bundle could not be made'
  checkpoint debug-commands

  step 80 'encrypting the bundle'
  { pack "$COLLECT/debug" >"$COLLECT/debug.tar.gz" && encrypt_for_vendor "$COLLECT/debug.tar.gz" "$COLLECT/bundle"; } ||
    fail E1000 'The debug bundle could not be encrypted'
  rm -f "$COLLECT/debug.key"
  checkpoint debug-encrypted
  {
    (cd "$COLLECT/bundle" && tar -cf - debug.key.enc debug.tar.gz.enc) >"$COLLECT/debug-bundle.tar" &&
      put "$UPLOADS/debug-bundle.tar" 640 <"$COLLECT/debug-bundle.tar"
  } || fail E1000 'The debug bundle could not be stored'
  log_line update_debug.log 'Gathering debug information successful'
}

recover() { collect_end; }

on_end() {
  collect_end
  [ "$1" = completed ] || log_line update_debug.log 'Gathering debug information failed'
}

main "$@"
