# shellcheck shell=sh
# Ends processes with everything that they started: those of a task that is ended early, and a command that takes too
# long. Sourced by lib.sh. A child may become init's at any moment, and then nothing leads to it any more. So all
# processes are stopped first, until none is found running (a stopped process starts nothing), and only then killed. A
# service that has left its parent and session, as with daemon(3), is not found here and keeps running.

STOP_ROUNDS=50
KILL_ROUNDS=500

# Prints `STATE NUMBER` of each process to end. Each is looked at once: two looks at a number may see two processes.
#   session NUMBER START     all of a session, if its leader is gone or started then; and all below them
#   below NUMBER SESSION     all below a process; and what has lost its parent in that session, with all below it
# Never the process SELF, nor what is above or below that.
processes_of() { # SELF session|below NUMBER START|SESSION
  awk -v "self=$1" -v "what=$2" -v "number=$3" -v "more=$4" '
    function add(pid) {
      if (pid in found || pid in spared) return
      found[pid]
      queue[++last] = pid
    }
    function below(pid,   kid, kids, i) {
      kids = split(children[pid], kid, " ")
      for (i = 1; i <= kids; i++) add(kid[i])
    }
    BEGIN {
      for (i = 1; i < ARGC; i++) {
        text = ""
        # The name may contain line ends and parentheses.
        while ((getline line <ARGV[i]) > 0) text = text " " line
        close(ARGV[i])
        if (!match(text, /.*\) /)) continue
        pid = ARGV[i]
        gsub(/[^0-9]/, "", pid)
        split(substr(text, RLENGTH + 1), field, " ")
        state[pid] = field[1]; parent[pid] = field[2]; session[pid] = field[4]; start[pid] = field[20]
        children[field[2]] = children[field[2]] " " pid
        all[++count] = pid
      }
      if (what == "session" && number in start && start[number] != more) exit
      add(self); for (next_one = 1; next_one <= last; next_one++) below(queue[next_one])
      for (pid in found) spared[pid]
      for (pid = parent[self]; pid in parent && !(pid in spared); pid = parent[pid]) spared[pid]
      last = 0
      for (pid in found) delete found[pid]
      for (i = 1; i <= count; i++) {
        pid = all[i]
        if (what == "session" ? session[pid] == number : session[pid] == more && pid != more && session[parent[pid]] != more) add(pid)
      }
      if (what == "below") below(number)
      for (next_one = 1; next_one <= last; next_one++) below(queue[next_one])
      for (i = 1; i <= last; i++) if (state[queue[i]] !~ /[ZX]/) print state[queue[i]], queue[i]
    }' /proc/[0-9]*/stat
}

# Ends all that processes_of names. Exit status 1 if some of it does not end, such as a process that hangs in the
# kernel.
end_processes() { # SELF session|below NUMBER START|SESSION
  end_round=0
  while end_found=$(processes_of "$@") && [ -n "$end_found" ]; do
    end_awake=$(printf '%s\n' "$end_found" | sed -n 's/^[^Tt] //p')
    end_all=$(printf '%s\n' "$end_found" | sed 's/^. //')
    if [ -n "$end_awake" ] && [ "$end_round" -lt "$STOP_ROUNDS" ]; then
      # shellcheck disable=SC2086
      kill -s STOP $end_awake 2>/dev/null
    else
      # shellcheck disable=SC2086
      kill -s KILL $end_all 2>/dev/null
      [ "$end_round" -ge "$STOP_ROUNDS" ] || end_round=$STOP_ROUNDS
    fi
    end_round=$((end_round + 1))
    [ "$end_round" -le "$KILL_ROUNDS" ] || {
      echo "killed, and does not end: $(printf '%s' "$end_all" | tr '\n' ' ')"
      return 1
    }
    sleep 0.02 2>/dev/null || sleep 1
  done
}

# All remaining processes of the task, by its own records: those of its run, and of an earlier recover or cancel.
end_leftovers() {
  for el_record in "$TASK/pid" "$TASK/ending"; do
    read -r el_session el_start el_boot 2>/dev/null <"$el_record" || continue
    [ "$el_boot" = "$(cat /proc/sys/kernel/random/boot_id)" ] || continue
    end_processes $$ session "$el_session" "$el_start" || :
  done
}

# Runs a command with a time limit; then it is ended with everything that it started, and TASK/late is created. Exit
# status of the command, or 137. Call it in a subshell: everything else below the calling process is ended as well.
limited() { # SECONDS COMMAND [ARGUMENT...]
  # Without the lock: only the script holds it, so that a task whose script was killed is seen to be dead.
  exec 9>&-
  limited_seconds=$1
  shift
  # Not $$, which in a subshell is the script's.
  read -r limited_self _ </proc/self/stat
  limited_pipe=$TASK/.limit.$limited_self
  rm -f "$limited_pipe"
  # If there is no space for a pipe there is no limit, and the command runs all the same.
  mkfifo -m 600 "$limited_pipe" || { (exec 9>&- && "$@"); return; }
  limit "$limited_self" "$limited_seconds" <"$limited_pipe" &
  # Closed when the command or this process has ended, which `limit` reads.
  exec 8>"$limited_pipe"
  rm -f "$limited_pipe"
  limited_rc=0
  # In a separate shell: with a function the shell would keep copies of both.
  (exec 8>&- 9>&- && "$@") || limited_rc=$?
  exec 8>&-
  wait $!
  return "$limited_rc"
}
limit() { # NUMBER SECONDS: ends all below that process, unless standard input ends before
  exec 9>&-
  trap - INT TERM HUP
  limit_rc=0
  timeout -s KILL "$2" cat >/dev/null || limit_rc=$?
  # 125 to 127: the program does not exist here.
  case $limit_rc in 0 | 125 | 126 | 127) exit 0 ;; esac
  : >"$TASK/late"
  read -r limit_self _ </proc/self/stat
  end_processes "$limit_self" below "$1" "$(stat_field $$ 4)"
}
