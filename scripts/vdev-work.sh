# shellcheck shell=sh
# Shared by vdev.sh: what zpool says of a pool, whether a change was made, and the work that follows it: a resilver, the
# expansion of a RAID-Z, an evacuation, a trim.

# Sets STATUS to what zpool says, with names unless it is a trim, and NUMBERS, with the guid of each vdev. False: it does
# not answer.
look() {
  look_how=-p
  # By guids as well: of a trim the lines of disks are read, and a name may have blanks in it.
  [ "$VERB" != trim ] || look_how=-gtp
  # In this order: when the old disk is gone, what is said of its resilver is not older than that.
  if NUMBERS=$(TZ=UTC0 zpool_look status -gp -- "$NAME" 2>"$TASK/said") &&
    STATUS=$(TZ=UTC0 zpool_look status "$look_how" -- "$NAME" 2>"$TASK/said"); then
    return 0
  fi
  case $(cat "$TASK/said") in
    *'no such pool'*) [ "$ACTION" != run ] || fail NOT_FOUND "$(zpool_said "$TASK/said")" ;;
  esac
  return 1
}

# The guids of all vdevs, one a line; `leaves`: of those that have none below them.
numbers() { printf '%s\n' "$NUMBERS" | awk '/^\t *[0-9]+ / { print $1 }'; }
leaves() {
  printf '%s\n' "$NUMBERS" | awk '
    /^\t *[0-9]+ / {
      match($0, /^\t */)
      if (RLENGTH <= depth && last != "") print last
      depth = RLENGTH
      last = $1
      next
    }
    { if (last != "") print last; last = "" }
    END { if (last != "") print last }'
}
has() { numbers | grep -q -x -F -e "$1"; } # GUID
# The disks that stand directly beside the device of this task, or, of a RAID-Z, directly in it.
beside() {
  printf '%s\n' "$NUMBERS" | awk -v guid="$DEVICE" '
    /^\t *[0-9]+ / {
      match($0, /^\t */)
      n++
      number[n] = $1
      depth[n] = RLENGTH
      if ($1 == guid && !at) at = n
    }
    END {
      if (!at) exit
      top = at
      if (depth[at + 1] <= depth[at]) while (top > 0 && depth[top] >= depth[at]) top--
      for (i = top + 1; i <= n && (depth[i] > depth[top] || !top); i++) {
        if (inner == "") inner = depth[i]
        if (depth[i] == inner && depth[i + 1] <= inner) print number[i]
      }
    }'
}
# What zpool calls a vdev: NUMBERS and STATUS have the same lines. A name may have blanks in it: it ends where the column
# of the states begins.
name_of() { # GUID
  printf '%s\n' "$NUMBERS" '--' "$STATUS" | awk -v guid="$1" '
    /^--$/ { second = 1; n = 0; next }
    /^ *[a-z]+:/ { on = /^ *config:/ }
    on && /^\t/ {
      n++
      if (n == 1) column = index($0, " STATE ")
      if (!second) { if ($1 == guid) at = n }
      else if (n == at) {
        name = substr($0, 1, column)
        sub(/^\t */, "", name)
        sub(/ +$/, "", name)
        print name
        exit
      }
    }'
}
# By the path that was asked for, or by another name of the same device, as after an import.
is_called() { # PATH NAME
  case $1 in "$2" | */"$2") return 0 ;; esac
  called_real=$(readlink -f -- "$1") || return 1
  for called_name in "/dev/$2" "/dev/mapper/$2" /dev/disk/by-*/"$2"; do
    if [ -e "$called_name" ] && [ "$(readlink -f -- "$called_name")" = "$called_real" ]; then return 0; fi
  done
  return 1
}
# The guids of the disks that were not there before. Other disks may come in at the same time, each with a task of its
# own, or by hand.
newcomers() { if [ "$VERB" = add ]; then leaves; else beside; fi | grep -v -x -F -f "$TASK/numbers"; }
came() { # PATH: the guid of the newcomer that was asked for
  newcomers | while IFS= read -r came_guid; do
    if is_called "$1" "$(name_of "$came_guid")"; then
      printf '%s' "$came_guid"
      break
    fi
  done
}
# The guid of the disk that came in with this change: its spare, or the one that was asked for. Once zpool has said that
# it made the change, an only newcomer is it under whatever name.
fresh() {
  input fresh && return 0
  fresh_guid=$(came "$(tail -n 1 "$TASK/input/operands")")
  if [ -z "$fresh_guid" ] && [ -z "${UNSURE-}" ]; then
    fresh_guid=$(newcomers) || :
    case $fresh_guid in *[!0-9]*) fresh_guid= ;; esac
  fi
  printf '%s' "$fresh_guid"
}
# Whether all disks of an added vdev are there.
have_come() {
  while IFS= read -r have_word; do
    case $have_word in /*) [ -n "$(came "$have_word")" ] || return 1 ;; esac
  done <"$TASK/input/operands"
}
has_come() { if [ -n "${FRESH-}" ]; then has "$FRESH"; else [ -n "$(fresh)" ]; fi; }
state_of() { printf '%s\n' "$NUMBERS" | awk -v guid="$1" '/^\t/ && $1 == guid { print $2; exit }'; } # GUID

part() { awk -v pattern="$1" '/^ *[a-z]+:/ { on = $0 ~ pattern } on'; } # PATTERN: the paragraphs whose first line matches
section() { printf '%s\n' "$STATUS" | part "$1"; }
runs() { section "$1" | grep -q ' in progress'; }
same_as_before() { [ "$(section "$1")" = "$(part "$1" <"$TASK/begun")" ]; }
is_deferred() { printf '%s\n' "$STATUS" | grep -q '(awaiting resilver)'; }
SCAN='^ *scan: resilver' EXPAND='^ *expand:' REMOVE='^ *remove:' CONFIG='^ *config:'
# The least of several, without its decimals.
percent_in() {
  awk 'match($0, /[0-9]+\.[0-9]+% done/) {
      percent = int(substr($0, RSTART))
      if (least == "" || percent < least) least = percent
    }
    END { print least }'
}
# `13.9T resilvered, 42.97% done, 03:22:35 to go`
words_in() { sed -n 's/^[[:blank:]]*\(.*% done.*\)$/\1/p' | head -n 1; }

# Whether zpool has made the change of this task, as far as that can be seen: what came in has to be what was asked for.
is_made() {
  case $VERB in
    add) have_come ;;
    replace | attach)
      if made_spare=$(input fresh); then
        is_in_use "$made_spare"
      else
        [ -n "$(UNSURE=yes && fresh)" ] || { [ "$VERB" = replace ] && ! has "$DEVICE"; }
      fi
      ;;
    detach) ! has "$DEVICE" || is_spare ;;
    remove) ! has "$DEVICE" || runs "$REMOVE" ;;
    offline) [ "$(state_of "$DEVICE")" = OFFLINE ] ;;
    online) [ "$(state_of "$DEVICE")" = ONLINE ] ;;
    trim) printf '%s\n' "$STATUS" | grep -q '% trimmed, .*at ' && ! same_as_before "$CONFIG" ;;
    *) return 1 ;;
  esac
}
# A spare in use stands in its group and among the spares; one that was given back only there.
is_in_use() { [ "$(numbers | grep -c -x -F -e "$1")" -gt 1 ]; } # GUID
is_spare() {
  ! is_in_use "$DEVICE" && printf '%s\n' "$NUMBERS" | awk -v guid="$DEVICE" '
    /^\tspares/ { on = 1 }
    on && $1 == guid { found = 1 }
    END { exit !found }'
}

# Gives up what is under way. False: it cannot be given up.
undo() {
  case $VERB in
    replace | attach)
      if [ "$VERB" = attach ] && runs "$EXPAND"; then
        echo 'an expansion cannot be stopped'
        return 1
      fi
      undo_guid=$(UNSURE=yes && fresh)
      [ -n "$undo_guid" ] && zpool_look detach -- "$NAME" "$undo_guid"
      ;;
    remove) zpool_look remove -s -- "$NAME" ;;
    trim) zpool_look trim -c -- "$NAME" ;;
    *) return 1 ;;
  esac
}

# Shows how far it is: each percent once, and now and then what else zpool says.
SHOWN=0
show() { # WORD PERCENT [TEXT]
  show_percent=${2:-0} LOOKS=0
  # 100 is for the end.
  [ "$show_percent" -lt 100 ] || show_percent=99
  SHOWN=$((SHOWN + 1))
  case $MESSAGE in
    "$1"*) [ "$show_percent" != "$PROGRESS" ] || [ "$SHOWN" -ge 12 ] || return 0 ;;
  esac
  SHOWN=0
  step "$show_percent" "$1${3:+: $3}"
}
show_work() { # WORD PARAGRAPH
  show "$1" "$(printf '%s\n' "$2" | percent_in)" "$(printf '%s\n' "$2" | words_in)"
}

# The looks after which work that was not seen is not waited for: a second apart.
LATEST=10

# Each of these looks at STATUS once, and is true while the work goes on. LOOKS: how often it was looked since it was seen
# to run.
going_resilver() {
  if [ "$VERB" = replace ] && ! has "$DEVICE"; then return 1; fi
  if [ -n "$FRESH" ] && ! has "$FRESH"; then fail CANCELLED 'The new disk was taken out again'; fi
  if runs "$SCAN"; then
    show_work resilvering "$(section "$SCAN" | awk '/^ *scan:/ { on = / in progress/ } on')"
    return 0
  fi
  if is_deferred; then
    show 'queued behind another resilver' 0
    return 0
  fi
  # It begins a moment after the change, and the old disk leaves a moment after its end.
  if same_as_before "$SCAN"; then
    [ "$LOOKS" -lt "$LATEST" ]
  else
    [ "$VERB" = replace ] && ! input fresh >/dev/null && [ "$LOOKS" -lt 60 ]
  fi
}
going_expansion() {
  if runs "$EXPAND"; then
    show_work expanding "$(section "$EXPAND")"
    return 0
  fi
  same_as_before "$EXPAND" && [ "$LOOKS" -lt "$LATEST" ]
}
going_removal() {
  if runs "$REMOVE"; then
    show_work evacuating "$(section "$REMOVE")"
    return 0
  fi
  # It leaves a moment after the end of its evacuation.
  has "$DEVICE" && [ "$LOOKS" -lt 10 ] && { same_as_before "$REMOVE" || ! section "$REMOVE" | grep -q 'cancel'; }
}
going_trim() {
  going_percent=$(printf '%s\n' "$STATUS" | awk '
    match($0, /\([0-9]+% trimmed, (suspended, )?started at/) { sum += substr($0, RSTART + 1); n++ }
    END { if (n) printf "%d", sum / n }')
  going_guids=$(printf '%s\n' "$STATUS" | awk '/% trimmed, (suspended, )?started at / { print $1 }')
  TRIMMED=${going_guids:-$TRIMMED}
  if [ -z "$going_percent" ]; then
    same_as_before "$CONFIG" && [ "$LOOKS" -lt 5 ]
  elif printf '%s\n' "$STATUS" | grep -q '% trimmed, started at'; then
    show trimming "$going_percent"
  else
    show paused "$going_percent"
  fi
}

follow() {
  case $VERB in
    replace | online) FOLLOWED=resilver ;;
    # A disk becomes a mirror or makes it wider, which resilvers; a RAID-Z expands.
    attach) if [ -f "$TASK/input/expand" ]; then FOLLOWED=expansion; else FOLLOWED=resilver; fi ;;
    remove) FOLLOWED=removal ;;
    trim) FOLLOWED=trim ;;
    *) FOLLOWED=nothing ;;
  esac
  follow_pause=1 follow_blind=0 LOOKS=0 FRESH='' TRIMMED=''
  while :; do
    if look; then
      follow_blind=0
      case $VERB$FRESH in replace | attach) FRESH=$(fresh) || FRESH= ;; esac
      [ "$FOLLOWED" != nothing ] || break
      "going_$FOLLOWED" || break
      LOOKS=$((LOOKS + 1))
    else
      follow_blind=$((follow_blind + 1))
      [ "$follow_blind" -lt 10 ] || fail UNAVAILABLE 'zpool does not say how the work goes on'
    fi
    sleep "$follow_pause"
    # A resilver of large disks takes days: no need to look every second.
    [ "$PROGRESS" -lt 2 ] || [ "$follow_pause" -ge 5 ] || follow_pause=$((follow_pause + 1))
  done
  case $FOLLOWED in
    resilver) judge "$SCAN" ;;
    expansion) judge "$EXPAND" ;;
    removal) judge "$REMOVE" ;;
    *) judge 'nothing' ;;
  esac
}

# What counts is what the pool looks like now. The message is what ZFS says of the work.
judge() { # PATTERN
  judge_text=
  same_as_before "$1" || judge_text=$(section "$1" | sed -n '1s/^ *[a-z]*: //p' | cut -c 1-200)
  case $VERB in
    replace)
      ! has "$DEVICE" || input fresh >/dev/null ||
        fail CONFLICT "The old disk is still in the pool: ${judge_text:-no resilver was seen}"
      ;;
    add) have_come || [ -n "$(newcomers)" ] || fail E1000 'zpool left the pool as it was' ;;
    attach)
      has_come || fail E1000 'zpool left the pool as it was'
      # It has no data for certain before that.
      ! same_as_before "$1" || fail CONFLICT "The new disk is in the pool, and no $FOLLOWED was seen: look at the pool, and scrub it"
      ;;
    detach) ! has "$DEVICE" || is_spare || fail E1000 'zpool left the disk where it was' ;;
    remove)
      ! has "$DEVICE" || case $judge_text in
        *cancel*) fail CANCELLED 'The removal was stopped' ;;
        *) fail CONFLICT "The vdev is still in the pool${judge_text:+: $judge_text}" ;;
      esac
      ;;
    offline) [ "$(state_of "$DEVICE")" != ONLINE ] || fail E1000 'zpool left the disk online' ;;
    online)
      case $(state_of "$DEVICE") in
        ONLINE | DEGRADED | AVAIL | INUSE) ;;
        *) fail CONFLICT "The disk is $(state_of "$DEVICE") now: it may have to be replaced" ;;
      esac
      ;;
    trim)
      # Of a trim that was cancelled ZFS says nothing: the disk is untrimmed.
      if same_as_before "$CONFIG" || printf '%s\n' "$STATUS" | awk '/\(untrimmed\)/ { print $1 }' | grep -q -x -F -e "${TRIMMED:-no disk}"; then
        fail CANCELLED 'The trim was stopped'
      fi
      judge_text=trimmed
      ;;
  esac
  # A resilver ends without errors also when the new disk failed meanwhile.
  case $VERB-$(state_of "${FRESH-}") in
    replace-FAULTED | replace-REMOVED | replace-UNAVAIL | attach-FAULTED | attach-REMOVED | attach-UNAVAIL)
      fail CONFLICT "The new disk is $(state_of "$FRESH"): replace it"
      ;;
  esac
  case $judge_text in
    *' with 0 errors '*) ;;
    *' with '*' errors '*) fail CONFLICT "$judge_text" ;;
  esac
  step 99 "${judge_text:-pool: $VERB}"
}
