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
# All of several properties are set, or none: until all are, this file says how they were. It outlives the task where the
# pool is not there to set them back, and the next `pool-set` begins with that.
has_note() { [ -f "$PROPERTIES" ] && is_ours "$PROPERTIES"; }
forget_note() { rm -f "$PROPERTIES" && sync_path "$EDGE_STATEDIR"; }
# False: they cannot be set back now. By the guid: the pool may have another name by now, and its name another pool.
put_back() {
  has_note || return 0
  put_name=$(pool_called "$GUID")
  while [ -n "$put_name" ] && IFS= read -r put_word; do
    put_rc=0
    zpool_look set "$put_word" "$put_name" || put_rc=$?
    case $put_rc in
      0) ;;
      12[4-9] | 1[3-9][0-9]) put_name= ;;
      *) echo "not put back: $put_word" ;;
    esac
  done <"$PROPERTIES"
  # It may have been exported meanwhile.
  if [ -z "$put_name" ] || ! pool_is_there "$GUID"; then
    echo 'the properties of the pool are put back once it is there'
    return 1
  fi
  checkpoint vdev-put-back
  rm -f "$TASK/noted" && sync_path "$TASK"
  forget_note
}

run() {
  checkpoint vdev-started
  begin
  settle
  look || fail UNAVAILABLE 'zpool does not say how the pool is'
  need_pool
  step 1 "pool: $VERB"
  numbers | put "$TASK/numbers" 640 || fail_full E1000 'The task cannot be written down'
  printf '%s\n' "$STATUS" | put "$TASK/begun" 640 || fail_full E1000 'The task cannot be written down'
  if [ "$VERB" = set ]; then
    while IFS= read -r run_word; do check_option "$run_word"; done <"$TASK/input/options"
    put_back || fail UNAVAILABLE 'zpool does not set the properties of the pool'
    # The server asks for nothing more than that.
    if [ -s "$TASK/input/options" ]; then
      run_properties=$(note_properties) || fail UNAVAILABLE 'zpool does not say how the pool is'
      if ! printf '%s\n' "$run_properties" | put "$PROPERTIES" 640 || ! : | put "$TASK/noted" 640; then
        fail_full E1000 'The task cannot be written down'
      fi
    fi
  fi
  checkpoint vdev-begun
  act
  done_in_part
  checkpoint vdev-changed
  follow
  checkpoint vdev-done
  if [ "$VERB" = set ]; then
    forget_note
    checkpoint vdev-kept
  fi
}

begin() {
  pool_name
  GUID=$(input guid) || fail INVALID 'No pool is named'
  DEVICE=$(input device) || DEVICE=
  case $GUID$DEVICE in *[!0-9]*) fail INVALID 'Not a number of a device' ;; esac
  PROPERTIES=$EDGE_STATEDIR/pool-set-$GUID
}

recover() {
  if [ "$VERB" = set ] && [ -f "$TASK/begun" ]; then
    begin
    if [ -f "$TASK/noted" ] && ! has_note; then END_STATE=completed; else put_back || :; fi
    return 0
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
