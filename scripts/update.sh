#!/bin/sh
# shellcheck disable=SC2034 # lib.sh reads LOCK, LAZY, MESSAGE and END_STATE
# Installs an update package: decrypts it, checks it as it streams, verifies its signature, and only then unpacks and
# runs it. Clients poll the status files in etc/, so the JSON one is written last.
LOCK=update
NEEDS='gzip openssl tar wc'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=package.sh
. "$here/package.sh"

ETC=$EDGE_ROOT/etc
WORK=$EDGE_ROOT/tmp/update.work
UNPACKED=$EDGE_ROOT/tmp/update
NEWLINE='
'
SUCCESS_AT=100

lower_label() { printf '%s' "$EDGE_LABEL" | tr '[:upper:]' '[:lower:]'; }
first_line() { head -n 1 "$1" 2>/dev/null | tr -cd ' -~' | cut -c 1-255; } # FILE

tell() { # STATUS PERCENTAGE: what GET /update shows
  if [ "$(cat "$ETC/status_update.txt" 2>/dev/null)" != "$1" ]; then
    printf '%s\n' "$1" | put "$ETC/status_update.txt" 644
    # Only at the beginning: a fault at each call could not even be reported.
    if [ "$1" = running ]; then
      checkpoint update-telling
    fi
  fi
  tell_json=$(printf '{"status":"%s","percentage":%d}' "$1" "$2")
  put_anyhow "$ETC/status_update.json" 644 "$tell_json$NEWLINE"
}
told() { # status|percentage: what GET /update shows now
  sed -n 's/.*"'"$1"'":"\{0,1\}\([a-z0-9]*\).*/\1/p' "$ETC/status_update.json" 2>/dev/null | head -n 1
}

reach() { # PERCENTAGE TEXT
  tell running "$1"
  step "$1" "$2"
}

clean() {
  rm -rf "$WORK" "$UNPACKED"
  rm -f "$ETC"/.status_update.* "$ETC"/.status_error_*
}

drop_package() { # the one in work; what failed is never tried again from disk
  if [ -s "$TASK/package" ]; then
    rm -f "$UPLOADS/$(cat "$TASK/package")"
  elif [ "$ACTION" != run ]; then
    # It died before it chose: the file from the server would stay forever.
    rm -f "$UPLOADS/software_package-zzz.enc"
  else
    return 0
  fi
  sync_path "$UPLOADS"
}

choose() { # prints the name of the newest package
  for choose_file in "$UPLOADS"/software_package-*.enc*; do
    case $choose_file in *"$NEWLINE"*) continue ;; esac
    if [ -f "$choose_file" ] && [ ! -L "$choose_file" ]; then
      printf '%s\n' "${choose_file##*/}"
    elif [ -e "$choose_file" ] || [ -L "$choose_file" ]; then
      log_line update.log "Not a file, and left alone: ${choose_file##*/}"
    fi
  done | version_newest
}

decrypt() { # PACKAGE
  decrypt_rc=0
  package_decrypt "$1" "$ETC/updates.key" "$WORK" -md sha256 -pbkdf2 || decrypt_rc=$?
  if [ "$decrypt_rc" -eq 1 ] && [ "$EDGE_LEGACY_MD5" = 1 ]; then
    echo 'trying the old key derivation'
    decrypt_rc=0
    package_decrypt "$1" "$ETC/updates.key" "$WORK" -md md5 || decrypt_rc=$?
  fi
}

# openssl uses every byte of the line as the passphrase.
warn_of_key() {
  case $(head -n 1 "$ETC/updates.key" 2>/dev/null) in
    *"$(printf '\r')" | "$(printf '\357\273\277')"*)
      echo 'updates.key has a byte order mark or a carriage return, which counts as part of the passphrase'
      ;;
    *) warn_of_file updates.key ;;
  esac
}
warn_of_file() { # NAME: of a key that openssl cannot read as it was meant
  warn_fault=$(fault_of "$ETC/$1") || log_line update.log "$1: $warn_fault"
}

# An unreadable file must not be treated as missing, which would allow everything.
is_there() { # NAME
  [ -e "$ETC/$1" ] || [ -L "$ETC/$1" ] || return 1
  { [ -f "$ETC/$1" ] && head -c 1 "$ETC/$1" >/dev/null; } || fail E1001 "$1 of this appliance cannot be read."
}

# The product is inside of what is signed, like the version. An appliance with a product name refuses packages without
# one.
check_product() {
  is_there product.txt || return 0
  [ "$(first_line "$UNPACKED/product.txt")" = "$(first_line "$ETC/product.txt")" ] ||
    fail E1001 'software update package is for another product.'
}

compare() {
  is_there version.txt && [ -f "$UNPACKED/version.txt" ] || return 0
  compare_now=$(first_line "$ETC/version.txt")
  compare_new=$(first_line "$UNPACKED/version.txt")
  [ "$compare_new" != "$compare_now" ] || fail E1001 "software update package v$compare_new already up-to-date."
  [ "$(printf '%s\n' "$compare_now" "$compare_new" | version_newest)" = "$compare_new" ] ||
    fail E1001 "software update package v$compare_new is too old."
}

run_package() { # in a subshell: its folder and its mask stay its own
  cd "$UNPACKED" || exit
  umask 027
  exec 9>&-
  if [ -x update.sh ] && [ "$(head -c 2 update.sh)" = '#!' ]; then exec ./update.sh; fi
  exec sh ./update.sh
}

run() {
  # Before the old errors are removed: a power cut must not leave a failure without its reason.
  reach 10 'starting'
  rm -f "$ETC/status_error_message.txt" "$ETC/status_error_code.txt"
  log_line update.log "Updating $(lower_label). Please wait.."
  clean
  checkpoint update-started

  reach 20 'choosing the package'
  choose | put "$TASK/package" 640
  [ -s "$TASK/package" ] || fail E1003 'Missing update package'
  checkpoint update-chosen
  # From here on the files show that an update with this package was running.
  LAZY=1

  reach 30 'decrypting the package'
  decrypt "$UPLOADS/$(cat "$TASK/package")"
  case $decrypt_rc in
    0 | 2) ;;
    *)
      warn_of_key
      fail E1005 'Error decrypting software update package'
      ;;
  esac
  reach 40 'verifying the signature'
  drop_package
  checkpoint update-decrypted
  { [ "$decrypt_rc" -eq 0 ] && package_verify "$WORK" "$ETC/updates.pub"; } || {
    warn_of_file updates.pub
    fail E1005 'Error verifying software update package signature'
  }

  reach 50 'unpacking'
  checkpoint update-verified
  { mkdir "$UNPACKED" && package_unpack "$WORK" "$UNPACKED" "$EDGE_UNPACK_LIMIT"; } ||
    fail E1005 'Error extracting software update package'
  rm -rf "$WORK"
  checkpoint update-extracted

  reach 60 'comparing versions'
  check_product
  compare
  checkpoint update-compared

  if [ -f "$UNPACKED/update.sh" ]; then
    # Before anybody can read that it is running, so that a kill can be recognized.
    first_line "$ETC/version.txt" | put "$TASK/version-before" 640
    reach 70 'running the update'
    log_text update.log "Starting update at: $(date)"
    checkpoint update-running
    (run_package)
    run_rc=$?
    # From here on the update counts as done, however this script ends. Its files are on disk before that is recorded.
    [ "$run_rc" -ne 0 ] || { sync; : | put "$TASK/ran" 640; }
    checkpoint update-ran
    reach 80 'the update ran'
    [ "$run_rc" -eq 0 ] || fail_of_package
    log_text update.log "Completed update at: $(date)"
  else
    SUCCESS_AT=90
    log_line update.log 'No update script found, skipping.'
  fi
  log_line update.log 'Update successful'
  clean
}

own_error() { # whether both error files are there, and what they say
  [ -s "$ETC/status_error_code.txt" ] && [ -s "$ETC/status_error_message.txt" ] || return 1
  # A file from the caller could be a link to a file that it must not read.
  is_ours "$ETC/status_error_code.txt" && is_ours "$ETC/status_error_message.txt" || return 1
  ERROR_CODE=$(first_line "$ETC/status_error_code.txt")
  ERROR_MESSAGE=$(first_line "$ETC/status_error_message.txt")
}

# The versions before and now, for the message of a failed update: the package's script may have written a new one
# before it failed.
tell_version() {
  version_now=$(first_line "$ETC/version.txt")
  version_before=$(first_line "$TASK/version-before")
  if [ "$version_now" = "$version_before" ]; then
    printf 'version.txt says %s, as before' "${version_now:-nothing}"
  else
    printf 'version.txt says %s now, and %s before' "${version_now:-nothing}" "${version_before:-nothing}"
  fi
}

fail_of_package() {
  [ "$(first_line "$ETC/version.txt")" = "$(first_line "$TASK/version-before")" ] ||
    log_line update.log "The script of the package failed: $(tell_version)"
  own_error && fail "$ERROR_CODE" "$ERROR_MESSAGE"
  fail_reason=$(script_fault "$UNPACKED/update.sh" update.sh)
  fail E1002 "Error running update${fail_reason:+: $fail_reason}"
}

recover() {
  clean
  drop_package
  [ "$ACTION" != run ] || return 0
  # The last step of a run is the task's own status. If only that is missing, the update ended with its recorded result.
  if [ -f "$TASK/ran" ]; then
    END_STATE=completed
  elif [ "$PROGRESS" -ge 10 ] && [ "$(told status)" = success ]; then
    END_STATE=completed
  elif [ "$PROGRESS" -ge 10 ] && [ "$(told status)" = failed ] && own_error; then
    END_STATE=failed
  elif [ "$PROGRESS" -ge 10 ] && [ "$(told percentage)" -gt 10 ] && own_error; then
    :
  elif [ -f "$TASK/version-before" ]; then
    ERROR_CODE=E1002 ERROR_MESSAGE="The update was interrupted while the script of its package ran: $(tell_version)"
  fi
}

on_end() { # STATE
  case $1-$ACTION in
    completed-run)
      # The files that update.sh wrote are on disk before clients can see that it ended.
      sync
      tell success "$SUCCESS_AT"
      persist
      ;;
    completed-*)
      [ "$(told status)" != success ] || return 0
      log_line update.log 'Update successful'
      tell success "$SUCCESS_AT"
      persist
      ;;
    failed-recover | failed-cancel) ;;
    *) tell_failure "$1" ;;
  esac
}

tell_failure() { # STATE
  failure_at=0
  [ "$(told status)" != running ] || failure_at=$(told percentage)
  failure_code=$ERROR_CODE failure_message=$ERROR_MESSAGE
  case $failure_code in CANCELLED) failure_code=E1000 failure_message='Script error' ;; esac
  if ! own_error || [ "$ERROR_CODE-$ERROR_MESSAGE" != "$failure_code-$failure_message" ]; then
    ERROR_CODE=$failure_code ERROR_MESSAGE=$failure_message
    printf '%s\n' "$ERROR_MESSAGE" | put "$ETC/status_error_message.txt" 644
    printf '%s\n' "$ERROR_CODE" | put "$ETC/status_error_code.txt" 644
  fi
  MESSAGE=$ERROR_MESSAGE
  log_line update.log "$ERROR_MESSAGE"
  log_line update.log "Failed updating $(lower_label). Cleaning up.."
  tell failed "$failure_at"
  case $1 in cancelled) ERROR_CODE=CANCELLED ERROR_MESSAGE=Cancelled MESSAGE=Cancelled ;; esac
}

main "$@"
