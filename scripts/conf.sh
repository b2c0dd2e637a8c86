# shellcheck shell=sh
# Reads the KEY=VALUE files that vendors source (network.conf, storage.conf) without running them: the server that wrote
# them may be less trusted than this script. After lib.sh. A line that is not a plain assignment makes it refuse the
# whole file; it is never skipped.

# The value of one line, unquoted: bare word, "…" with \ before \ " $ `, or '…' with '\'' for a quote.
# shellcheck disable=SC2016
conf_awk='
function unquoted(text,    out, i, c, q) {
  out = ""
  if (text ~ /^[A-Za-z0-9_.:\/,@%+-]*$/) return text
  i = 1
  while (i <= length(text)) {
    q = substr(text, i, 1)
    if (q == "\"") {
      for (i++; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\"") break
        if (c == "$" || c == "`") { bad = 1; return "" }
        if (c == "\\") {
          c = substr(text, ++i, 1)
          if (c == "" || index("\\\"$`", c) == 0) { bad = 1; return "" }
        }
        out = out c
      }
      if (i > length(text)) { bad = 1; return "" }
    } else if (q == "\047") {
      for (i++; i <= length(text) && substr(text, i, 1) != "\047"; i++) out = out substr(text, i, 1)
      if (i > length(text)) { bad = 1; return "" }
    } else if (q == "\\" && substr(text, i + 1, 1) == "\047") {
      out = out "\047"
      i++
    } else { bad = 1; return "" }
    i++
  }
  return out
}
/^[ \t]*(#.*)?$/ { next }
!/^[A-Za-z_][A-Za-z0-9_]*=/ { exit bad = 1 }
/[\001-\010\013-\037\177]/ { exit bad = 1 }
{
  name = substr($0, 1, index($0, "=") - 1)
  value = unquoted(substr($0, index($0, "=") + 1))
  if (bad) exit
  if (names != "" && index(" " names " ", " " name " ") == 0) { bad = 1; exit }
  if (name == wanted) found = value
}
END { if (bad) exit 1; if (wanted != "") print found }
'

conf_check() { # FILE "NAMES": whether FILE holds nothing but assignments of plain text to these names
  [ ! -L "$1" ] && conf_text=$(edited "$1") && printf '%s\n' "$conf_text" | awk -v "names=$2" "$conf_awk"
}

# The same for files from the server that a vendor's shell will source: a shell takes a byte order mark for the
# beginning of a word, and would run what follows it, although we read it as a comment.
conf_check_given() { # FILE "NAMES"
  conf_check "$1" "$2" && awk -v "names=$2" "$conf_awk" "$1"
}

conf_value() { # FILE NAME: prints the value, empty when it is not there
  edited "$1" | awk -v "wanted=$2" "$conf_awk"
}

NETWORK_NAMES='mode interface ip subnet subnet_ipv6 router dns hostname ntpserver'
STORAGE_NAMES='type mount_options ip share device target username password export_name port'

# Whether the inputs of the task may be put in place; used by our scripts and for the original's.
settings_given() { # static|dhcp
  case $1 in static | dhcp) ;; *) return 1 ;; esac
  [ -s "$TASK/input/app.json" ] && [ -s "$TASK/input/network.json" ] || return 1
  conf_check_given "$TASK/input/network.conf" "$NETWORK_NAMES" || return 1
  # A vendor's script gets the type as an argument and reads the file: both must agree.
  [ "$(conf_value "$TASK/input/network.conf" mode)" = "$1" ]
}
storage_given() {
  [ -s "$TASK/input/storage.json" ] && conf_check_given "$TASK/input/storage.conf" "$STORAGE_NAMES" || return 1
  case $(conf_value "$TASK/input/storage.conf" type) in local | nfs | aoe | iscsi | nbd) ;; *) return 1 ;; esac
}
