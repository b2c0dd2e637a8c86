# shellcheck shell=sh
# The archive of `make dist`, installed and served as on an appliance: `play root|sudo [short]`. Sourced by stage.sh. A newcomer's trap: the image has its
# keys, lists and hooks before install.sh runs, as a vendor's build would; only so does sudo mode know their owners.

SERVER_USER=

play() { # root|sudo [short]
  [ "$1" = root ] || sudo_user
  lay_files
  lay_hooks
  lay_own_hooks
  lay_configuration "$1"

  row 'install.sh of the packed archive lays it out' unpack_and_install
  row 'edge-admin init finds or makes the folders' init
  row 'the init script starts it' start
  row 'edge-admin check finds nothing that is wrong' check
  row 'edge-admin check says what was taken away, and how to mend it' check_missing
  row 'set-up takes the one-time phrase, and nothing else is open before' set_up
  if [ "${2:-}" = short ]; then
    drive_short
    row 'the init script stops it' inside /etc/init.d/edge-admin stop
    return
  fi
  drive
  row 'edge-admin token set reads standard input, token rotate prints a new one, and the server takes both' token_commands
  row 'the init script stops and starts it, and everything is as it was' restart
  [ "$1" = root ] || row 'the server is not root, its scripts are' privileges
  [ "$1" = root ] || note "fs.protected_regular is $(cat /proc/sys/fs/protected_regular) here, and belongs to the whole machine (systemd sets 2)"
}

sudo_user() {
  # shellcheck disable=SC2034 # product.sh
  SERVER_USER=edge
  echo 'edge:x:996:996::/nonexistent:/bin/false' >>"$BOX/etc/passwd"
  echo 'edge:x:996:' >>"$BOX/etc/group"
  # sudo asks whether the account is valid.
  echo 'edge:!:20000::::::' >>"$BOX/etc/shadow"
}

lay_configuration() { # root|sudo
  privilege=none
  [ "$1" = root ] || privilege=sudo
  cat >"$BOX$ULE/edge-admin.json" <<EOF
{
  "endpoints": ["settings", "certs", "license", "storage", "backup"],
  "first-run": { "enabled": true, "word-length": 4 },
  "privilege": "$privilege"
}
EOF
}

init() {
  inside edge-admin init --root "$ADMIN"
  for folder in etc log tmp bin home/sftp/uploads; do [ -d "$BOX$ADMIN/$folder" ] || fault "no folder $folder"; done
}
check() {
  inside edge-admin check
}
check_missing() {
  mv "$BOX$ADMIN/etc/updates.pub" "$WORK/updates.pub"
  check_code=0
  inside edge-admin check >"$WORK/check" || check_code=$?
  inside edge-admin check --json >"$WORK/check.json" || :
  mv "$WORK/updates.pub" "$BOX$ADMIN/etc/updates.pub"
  same 1 "$check_code"
  grep -q updates.pub "$WORK/check" || fault "updates.pub is not named: $(cat "$WORK/check")"
  node -e 'JSON.parse(require("fs").readFileSync(0, "utf8"))' <"$WORK/check.json"
}
set_up() {
  cp "$BOX$ADMIN/etc/api.token.setup" "$WORK/token"
  by_token 403 GET version
  holds '"First-Run":true'
  ask 403 POST setup token=another-phrase -F newtoken=stolen
  by_token 200 POST setup '' -F newtoken=token-of-the-rig
  holds '{"Status":"200 OK"}'
  echo token-of-the-rig >"$WORK/token"
  read_twice version '{"version":"1.0.0"}'
}
token_commands() {
  echo token-by-command | inside edge-admin token set --root "$ADMIN"
  echo token-by-command >"$WORK/token"
  read_twice version '{"version":"1.1.0"}'
  inside edge-admin token rotate --root "$ADMIN" >"$WORK/rotated"
  by_hash 403 GET version
  cp "$WORK/rotated" "$WORK/token"
  read_twice version '{"version":"1.1.0"}'
}
restart() {
  inside /etc/init.d/edge-admin stop
  ! curl -s -m 5 -k -o /dev/null https://127.0.0.1:8443/docs || fault 'it still answers'
  start
  read_twice version '{"version":"1.1.0"}'
  by_hash 200 GET settings
  holds '"hostname":"box2.example"'
  served first
}
privileges() {
  read -r server_pid _ <"$BOX/run/edge-admin.pid"
  same 996 "$(awk '$1 == "Uid:" { print $2 }' "/proc/$server_pid/status")"
  called 'update uid 0'
  ! grep -q ' uid 996$' "$BOX$HOOKS" || fault "a hook ran as the server's user: $(grep ' uid 996$' "$BOX$HOOKS")"
}
