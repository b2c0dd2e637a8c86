# shellcheck shell=sh
# Shared by pool.sh, pool-scrub.sh and vdev.sh: runs zpool, translates its refusals for callers, and follows work that
# goes on in the kernel. zpool deliberately keeps descriptor 9, the lock: while it hangs in the kernel, where no kill can
# end it, nobody else may touch the pool.

# shellcheck disable=SC2034
NEEDS=readlink
ZPOOL_SECONDS=60 # for a look; a pool that is suspended answers never

# The server passes the lock's name, since a pool's name may be too long for a file's. The changes of a pool's devices
# have a lock for each device: one that resilvers for a day must not keep the next from being replaced.
case $LOCK in
  pool-*[!A-Za-z0-9_.:\ -]* | pool-) LOCK= ;;
  vdev-*[!0-9a-f]* | vdev-) LOCK= ;;
  pool-* | vdev-*) ;;
  *) LOCK= ;;
esac
: "${LOCK:?not the lock of a pool}"

zpool_look() { timeout "$ZPOOL_SECONDS" zpool "$@"; }

input() { # NAME: the first line of one of the task's inputs
  [ -f "$TASK/input/$1" ] || return 1
  IFS= read -r input_line <"$TASK/input/$1" || [ -n "$input_line" ]
  printf '%s' "$input_line"
}

# The pool of this task. From here on its name is an argument.
pool_name() {
  NAME=$(input name) || fail INVALID 'No pool is named'
  case $NAME in [A-Za-z]*) ;; *) fail INVALID 'Not a pool name' ;; esac
  case $NAME in *[!A-Za-z0-9_.:\ -]*) fail INVALID 'Not a pool name' ;; esac
}

# zpool's message in one line. Its advice to use force is not passed on.
zpool_said() { # FILE
  sed -e "/^use '-[a-z]'/d" -e '/^invalid vdev specification$/d' "$1" | tr '\n\t' '  ' | tr -d '\000-\037' | cut -c 1-300 | sed 's/ *$//'
}

zpool_try() { # ARGUMENT...: changes something; ZPOOL_RC and ZPOOL_TEXT tell how it went
  ZPOOL_RC=0
  zpool "$@" 2>"$TASK/said" || ZPOOL_RC=$?
  cat "$TASK/said"
  ZPOOL_TEXT=$(zpool_said "$TASK/said")
  return "$ZPOOL_RC"
}

# As zpool_try; a mismatch of the layout is forced if the request agrees to it, and only if zpool has no other reason.
zpool_try_allowed() { # VERB ARGUMENT...
  zpool_try "$@" && return 0
  if [ -f "$TASK/input/allow" ] && is_mismatch "$TASK/said"; then
    allowed_verb=$1
    shift
    zpool_try "$allowed_verb" -f "$@" && return 0
  fi
  return 1
}
is_mismatch() { # FILE
  awk '
    NR == 1 { good = $0 == "invalid vdev specification" }
    NR == 2 { good = good && $0 == "use '\''-f'\'' to override the following errors:" }
    NR > 2 && !/^mismatched replication level: / && !/^[a-z]+ contains devices of different sizes$/ { good = 0 }
    END { exit !(good && NR > 2) }' "$1"
}

zpool_do() { zpool_try "$@" || zpool_refused; } # or ends the task with the program's own words

zpool_refused() {
  case $ZPOOL_RC in
    127) fail UNAVAILABLE 'zpool is not installed' ;;
    12[89] | 1[3-9][0-9]) fail E1000 'zpool ended unexpectedly' ;;
  esac
  case $ZPOOL_TEXT in
    '') fail E1000 'zpool failed without a word' ;;
    # A device disappeared during the work.
    *'no such pool or dataset'*) fail CONFLICT "$ZPOOL_TEXT" ;;
    *'no such pool'*) fail NOT_FOUND "$ZPOOL_TEXT" ;;
    *'already exists'* | *'is part of'* | *'in use'* | *busy* | *currently* | *'same device'* | *'contains a'* | *'not empty'* | \
      *suspended* | *'more than one'* | *'failed to rescan'* | *'cannot label'* | *'missing link'*) fail CONFLICT "$ZPOOL_TEXT" ;;
    *'cannot resolve'* | *'cannot open'* | *invalid* | *'not a valid'* | *'must be'* | *readonly* | *'minimum size'* | *mismatched* | \
      *requires* | *'is reserved'* | *'different sizes'*) fail INVALID "$ZPOOL_TEXT" ;;
    *) fail E1000 "$ZPOOL_TEXT" ;;
  esac
}

pool_guids() { zpool_look list -Hp -o guid; }
pool_is_there() { # GUID; false also when zpool cannot tell
  pool_list=$(pool_guids) || return 2
  printf '%s\n' "$pool_list" | grep -q -x -F -e "$1"
}

pool_called() { zpool_look list -H -o guid,name | sed -n "s/^$1	//p"; } # GUID: its name, or nothing

# Not another pool that has taken its name meanwhile.
need_pool() {
  need_rc=0
  pool_is_there "$GUID" || need_rc=$?
  case $need_rc in
    0) ;;
    1) fail NOT_FOUND "cannot open '$NAME': no such pool" ;;
    *) fail UNAVAILABLE 'zpool does not say which pools there are' ;;
  esac
}

# ---- work that runs in the kernel, and survives a kill of this script and a reboot

# The start of `recover`: whether the work of a task that was cut short may have begun. After the script's own end there
# is nothing to recover.
was_cut_short() {
  if [ "$ACTION" = run ]; then
    [ "$ERROR_CODE" != CANCELLED ] || END_STATE=cancelled
    return 1
  fi
  [ -f "$TASK/begun" ]
}

# The end of `recover`: calls the function in the background, with the lock that this process holds; that process writes the
# final status.
follow_on() { # FUNCTION
  # `cancel` and `recover` find the process by this.
  who_runs | put "$TASK/pid" 640
  ACTION=run ERROR_CODE='' END_STATE=
  (
    trap ended EXIT
    "$1"
    exit
  ) &
  exit 0
}
