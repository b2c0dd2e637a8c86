# shellcheck shell=sh
# Changes the devices of a pool, for pool-VERB.sh, and follows the work that ZFS then does in the background. That work
# runs in the kernel and survives a kill and a reboot, so `recover` looks what was begun and continues to follow it.
#
# Inputs: name, guid (the pool's), options and operands of zpool, one a line; device (a vdev's guid) and label (what
# people call it), for the messages; fresh (the guid of a spare that is put to use); allow (a layout mismatch is agreed to);
# data (the removed vdev holds data).
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=zpool.sh
. "$here/zpool.sh"
# shellcheck source=vdev-work.sh
. "$here/vdev-work.sh"

# What the server may ask for.
check_option() { # WORD
  case $VERB$1 in
    replace-s | attach-s | online-e | offline-t | trim-d) ;;
    trim-r*[!0-9KMGT]*) fail INVALID 'Not a rate' ;;
    trim-r[0-9]*) ;;
    set[a-z]*=*) ;;
    *) fail INVALID 'Not an option of this change' ;;
  esac
}

# The guid in a message becomes what people call the device.
named() {
  ZPOOL_TEXT=$(printf '%s\n' "$ZPOOL_TEXT" | awk -v guid="$DEVICE" -v label="$(input label || :)" '
    guid != "" {
      rest = $0
      $0 = ""
      while ((at = index(rest, guid)) > 0) {
        $0 = $0 substr(rest, 1, at - 1) label
        rest = substr(rest, at + length(guid))
      }
      $0 = $0 rest
    }
    { print }')
}

# zpool's words about a device are about the state of the pool; zpool_refused has the rest.
refused() {
  named
  case $ZPOOL_RC in 127 | 12[89] | 1[3-9][0-9]) zpool_refused ;; esac
  case $ZPOOL_TEXT in
    *'no such pool'* | *'cannot open'* | *'cannot resolve'* | *'cannot label'*) zpool_refused ;;
    *'too small'* | *'optimal sector size'* | *'invalid vdev specification'* | *'only supported'* | *'not supported by'*) fail INVALID "$ZPOOL_TEXT" ;;
    'cannot '*) fail CONFLICT "$ZPOOL_TEXT" ;;
  esac
  zpool_refused
}

# udev can keep a disk busy that was just wiped or looked at.
attempt() { # ARGUMENT...
  attempt_tries=$TRIES
  until zpool_try_allowed "$@"; do
    attempt_tries=$((attempt_tries - 1))
    case $attempt_tries-$ZPOOL_TEXT in
      0-*) refused ;;
      *'failed to rescan'* | *'cannot label'* | *'missing link'* | *"cannot open '"*"': No such "* | *"cannot open '"*"': Device or resource busy"*) ;;
      *) refused ;;
    esac
    sleep 1
    settle
  done
}

act() {
  set --
  while IFS= read -r act_word; do
    check_option "$act_word"
    # `zpool set` knows no mark that ends its options; its operands begin with a letter. It takes one property at a time.
    if [ "$VERB" = set ]; then
      zpool_try set "$act_word" "$NAME" || refused
      checkpoint vdev-set
    else
      set -- "$@" "$act_word"
    fi
  done <"$TASK/input/options"
  [ "$VERB" != set ] || return 0
  set -- "$@" -- "$NAME"
  while IFS= read -r act_word; do set -- "$@" "$act_word"; done <"$TASK/input/operands"
  attempt "$VERB" "$@"
}

# The properties that are to be set as they are, one a line: NAME=VALUE.
note_properties() {
  while IFS= read -r note_word; do
    note_value=$(zpool_look get -Hp -o value "${note_word%%=*}" "$NAME") || return 1
    # An empty text is shown like this.
    [ "$note_value" != - ] || note_value=
    printf '%s=%s\n' "${note_word%%=*}" "$note_value"
  done <"$TASK/input/options"
}
# What was set of several properties is set back: all of them, or none. Another pool may have the name by now.
put_back() {
  pool_is_there "$GUID" || {
    echo 'the pool is not there: its properties are not put back'
    return 0
  }
  while IFS= read -r put_word; do
    zpool_look set "$put_word" "$NAME" || echo "not put back: $put_word"
  done <"$TASK/properties"
}

run() {
  checkpoint vdev-started
  begin
  settle
  look || fail UNAVAILABLE 'zpool does not say how the pool is'
  need_pool
  step 1 "pool: $VERB"
  numbers | put "$TASK/numbers" 640 || fail E1000 'The task cannot be written down'
  printf '%s\n' "$STATUS" | put "$TASK/begun" 640 || fail E1000 'The task cannot be written down'
  if [ "$VERB" = set ]; then
    while IFS= read -r run_word; do check_option "$run_word"; done <"$TASK/input/options"
    run_properties=$(note_properties) || fail UNAVAILABLE 'zpool does not say how the pool is'
    printf '%s\n' "$run_properties" | put "$TASK/properties" 640 || fail E1000 'The task cannot be written down'
  fi
  checkpoint vdev-begun
  act
  done_in_part
  checkpoint vdev-changed
  follow
  checkpoint vdev-done
}

begin() {
  pool_name
  GUID=$(input guid) || fail INVALID 'No pool is named'
  DEVICE=$(input device) || DEVICE=
  case $GUID$DEVICE in *[!0-9]*) fail INVALID 'Not a number of a device' ;; esac
}

recover() {
  if [ "$VERB" = set ] && [ -f "$TASK/properties" ]; then
    begin
    put_back
  fi
  was_cut_short || return 0
  begin
  # Without an answer the task is interrupted: after a power cut the pool may not be imported yet.
  look || return 0
  is_made || return 0
  # What ended meanwhile is judged like what goes on.
  if [ "$ACTION" = cancel ] && undo; then return 0; fi
  follow_on follow
}
