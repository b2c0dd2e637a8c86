# shellcheck shell=sh
# Lists the secrets for redact.awk, one literal per line. Sourced by collect.sh and wrapper.sh, after lib.sh. The
# secrets of a running task's inputs are included, because they are in no file of the appliance yet.

# A file that was saved as UTF-16 also contains secrets, since the server reads it. Without zeros and mark it is plain
# text for us.
secret_text() { # FILE
  [ ! -f "$1" ] || tr -d '\000\r' <"$1" | awk -v "le=$(printf '\377\376')" -v "be=$(printf '\376\377')" -v "utf8=$(printf '\357\273\277')" '
    NR == 1 && (index($0, le) == 1 || index($0, be) == 1) { $0 = substr($0, 3) }
    NR == 1 && index($0, utf8) == 1 { $0 = substr($0, 4) }
    { print }'
}

# Values of members and variables with names that suggest a secret, as stored and as decoded.
collect_secret_values() { # FILE...
  for secrets_file in "$@"; do
    secret_text "$secrets_file" | awk '
      function meant(text) { gsub(/\\"/, "\"", text); gsub(/\\\$/, "$", text); gsub(/\\`/, "`", text); gsub(/\\\//, "/", text); gsub(/\\\\/, "\\", text); return text }
      {
        rest = $0
        while (match(tolower(rest), /"?[a-z0-9_.-]*(passw|secret|token|phrase)[a-z0-9_.-]*"?[ \t]*[:=][ \t]*/)) {
          rest = substr(rest, RSTART + RLENGTH)
          quote = substr(rest, 1, 1)
          if (quote != "\"" && quote != "\047") { value = rest; sub(/[ \t,}].*/, "", value); print value; continue }
          for (i = 2; i <= length(rest); i++) {
            c = substr(rest, i, 1)
            if (c == "\\" && quote == "\"") i++
            else if (c == quote) break
          }
          value = substr(rest, 2, i - 2)
          print value
          print meant(value)
          rest = substr(rest, i + 1)
        }
      }'
  done
}

# As tokens are stored, or as somebody sent one.
collect_tokens() { # FILE...
  for secrets_file in "$@"; do
    secrets_line=$(secret_text "$secrets_file" | head -n 1)
    case $secrets_line in
      '') ;;
      'sha256 '*) printf '%s\n' "${secrets_line#sha256 }" ;;
      # The key of the old signatures is as good as the token.
      *) printf '%s\n' "$secrets_line"; printf '%s' "$secrets_line" | openssl dgst -sha256 -r | cut -d ' ' -f 1 ;;
    esac
  done
}

# Lines of private keys, for programs that print them without the first line.
collect_key_lines() { # FILE...
  for secrets_file in "$@"; do
    secret_text "$secrets_file" | grep -v -e '^-----' | awk 'length($0) >= 16'
  done
}

# The appliance's own.
collect_secrets() {
  collect_tokens "$EDGE_ROOT/etc/api.token" "$EDGE_ROOT/etc/api.token.setup"
  secret_text "$EDGE_ROOT/etc/updates.key" | head -n 1
  collect_secret_values "$EDGE_ROOT"/etc/*.json "$EDGE_SYSCONFDIR/storage.conf" "$EDGE_SYSCONFDIR"/*.json
  collect_key_lines "$EDGE_SYSCONFDIR/pki/tls/private/enterprise.key" "$EDGE_STATEDIR"/*.key "$EDGE_STATEDIR"/secrets/*
}

# Those of this task's inputs, as long as they exist.
collect_input_secrets() {
  collect_tokens "$TASK/input/api.token"
  collect_secret_values "$TASK"/input/*.json "$TASK"/input/*.conf
  collect_key_lines "$TASK"/input/*.key
}
