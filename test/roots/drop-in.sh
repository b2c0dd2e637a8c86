# shellcheck shell=sh
# An appliance of the original, taken over, given back and taken over again: `play scripts|wrapper`. Sourced by stage.sh. A newcomer's trap: the
# original's programs are stand-ins of ours (test/fakes/original), which check that they are called as its own server would call them.

play() { # scripts|wrapper
  DOER=$1
  lay_original
  echo token-of-the-original >"$WORK/token"

  row "the original's server would be asked with its token" authenticates
  row 'install.sh goes in beside the original, and changes none of its files' install_beside
  row "it starts with the original's configuration" start
  row "the original's token is taken, by hash and by token" read_twice version '{"version":"1.0.0"}'
  drive
  row 'what the original has to read is still its own' owners
  [ "$DOER" = scripts ] || row 'the wrapper was called as by its own server, and never otherwise' wrapper_calls
  row 'edge-admin export-original gives it back' give_back
  row "the original's server takes the token that is in force now" authenticates
  row "the original's own scripts go on with what is there" original_goes_on
  row 'and forward again: the token, the settings and the options are as before' forward_again
}

lay_original() {
  {
    echo 'admin:x:997:997::/nonexistent:/bin/sh'
    echo 'sftpadmin:x:998:998::/nonexistent:/bin/false'
  } >>"$BOX/etc/passwd"
  printf 'admin:x:997:\nsftpadmin:x:998:\n' >>"$BOX/etc/group"
  printf 'admin:!:20000::::::\nsftpadmin:!:20000::::::\n' >>"$BOX/etc/shadow"
  lay_files
  lay_hooks
  echo "echo \"reboot uid \$(id -u)\" >>$HOOKS" | script "$ADMIN/bin/reboot.sh"
  cp -R "$STAGE/../fakes/original" "$BOX/root/original"
  inside sh /root/original/install.sh "$ADMIN" "$ULE" /data
  printf 'admin ALL=(root) NOPASSWD: %s/bin/update_*, /usr/bin/symlinktool.sh, %s/bin/reboot.sh\n' "$ADMIN" "$ADMIN" >"$BOX/etc/sudoers.d/original"
  chmod 440 "$BOX/etc/sudoers.d/original"

  echo token-of-the-original >"$BOX$ADMIN/etc/api.token"
  chmod 660 "$BOX$ADMIN/etc/api.token"
  : >"$BOX$ADMIN/log/jidoteki-audit.log"
  : >"$BOX$ADMIN/log/update.log"
  chmod 664 "$BOX$ADMIN/log/update.log"
  chmod 600 "$BOX$ADMIN/etc/updates.key"
  mkdir -p "$BOX$ADMIN/tmp" "$BOX$ULE/pki/tls/private" "$BOX$ULE/pki/tls/certs" "$BOX$ULE/pki/tls/cacerts"
  chown 0:997 "$BOX$ADMIN/etc" "$BOX$ADMIN/etc/api.token" "$BOX$ADMIN/log" "$BOX$ADMIN/log/update.log" "$BOX$ADMIN/tmp"
  chown 997:997 "$BOX$ADMIN/log/jidoteki-audit.log"
  chown 998:997 "$BOX$ADMIN/home/sftp/uploads"
  chmod 1775 "$BOX$ADMIN/etc"
  chmod 775 "$BOX$ADMIN/log"
  chmod 770 "$BOX$ADMIN/home/sftp/uploads"
  # As the original has it; a wrapper is named only where one shall be used.
  wrapper=
  [ "$DOER" = scripts ] || wrapper=",\"wrapper\":\"$ADMIN/bin/wrapper.sh\""
  printf '{"endpoints":["settings","certs","license","storage","backup"],"parameters":["public","private","ca","license","action","archive"],%s%s}\n' \
    '"first-run":{"enabled":true,"word-length":4}' "$wrapper" >"$BOX$ULE/jidoteki-admin-api.json"
}

# As the original's server does it: line 1 of the file, read as uid 997, without a carriage return, compared as it is; and the HMAC by its SHA-256.
authenticates() {
  auth_line=$(inside setpriv --reuid 997 --regid 997 --clear-groups head -n 1 "$ADMIN/etc/api.token" | tr -d '\r')
  same "$(token)" "$auth_line"
  auth_key=$(printf %s "$auth_line" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
  same "$(hash_of GET "$PATHS/version")" "$(printf %s "GET$PATHS/version" | openssl dgst -sha256 -hmac "$auth_key" -r | cut -d ' ' -f 1)"
}

facts_of() { (cd "$BOX" && find ".$ADMIN" ".$ULE" ./data ! -path '*/edge-admin.json.example' -printf '%p %y %m %U:%G\n' | sort); }
install_beside() {
  facts_of >"$WORK/before"
  find "$BOX$ADMIN" "$BOX$ULE" -type f -exec openssl dgst -sha256 -r {} + | sort >"$WORK/sums-before"
  unpack_and_install
  # Folders of ours may have been added; what was there is as it was.
  facts_of | grep -xF -f "$WORK/before" >"$WORK/after" || :
  cmp -s "$WORK/before" "$WORK/after" || { diff "$WORK/before" "$WORK/after"; return 1; }
  find "$BOX$ADMIN" "$BOX$ULE" -type f ! -name edge-admin.json.example -exec openssl dgst -sha256 -r {} + | sort >"$WORK/sums-after"
  cmp -s "$WORK/sums-before" "$WORK/sums-after" || { diff "$WORK/sums-before" "$WORK/sums-after"; return 1; }
}

owned() { # "MODE OWNER:GROUP" FILE...
  owned_expected=$1
  shift
  for owned_file in "$@"; do
    same "$owned_expected $owned_file" "$(stat -c '%a %u:%g' "$BOX$owned_file") $owned_file"
  done
}
readable_by_997() { # FILE...
  for readable_file in "$@"; do
    inside setpriv --reuid 997 --regid 997 --clear-groups head -c 1 "$readable_file" >/dev/null || fault "uid 997 cannot read $readable_file"
  done
}
owners() {
  owned '1775 0:997' "$ADMIN/etc"
  owned '770 998:997' "$ADMIN/home/sftp/uploads"
  owned '640 0:997' "$ADMIN/etc/app.json" "$ADMIN/etc/network.json" "$ADMIN/etc/storage.json"
  readable_by_997 "$ADMIN/etc/license.asc" "$ADMIN/etc/status_update.json" "$ADMIN/etc/status_certs.txt" "$ULE/network.conf" "$ULE/storage.conf" \
    "$ULE/pki/tls/enterprise.pem" "$ADMIN/log/update.log" "$ADMIN/log/update_backup.log"
  inside setpriv --reuid 997 --regid 997 --clear-groups sh -c ": >>$ADMIN/log/jidoteki-audit.log"
}

wrapper_calls() {
  ! grep -q '^refused' "$BOX$ADMIN/log/original-calls.log" || fault "$(grep '^refused' "$BOX$ADMIN/log/original-calls.log")"
  for call in 'update 0' 'settings 1 static' 'settings 1 dhcp' 'storage 0' 'certs 0' 'license 0' 'backup 1 START' 'backup 1 RESTORE' 'backup 1 STOP' \
    'token 0' 'logs 0' 'debug 0' 'reboot 0'; do
    grep -qxF "$call" "$BOX$ADMIN/log/original-calls.log" || { echo "never called: $call"; sort -u "$BOX$ADMIN/log/original-calls.log"; return 1; }
  done
}

give_back() {
  inside /etc/init.d/edge-admin stop
  token | inside edge-admin export-original --root "$ADMIN"
  owned '660 0:997' "$ADMIN/etc/api.token"
}

as_original() { # VERB [ARGUMENT]: as its server starts its wrapper
  as_verb=$1
  shift
  inside setpriv --reuid 997 --regid 997 --clear-groups env SSH_ORIGINAL_COMMAND="$as_verb" "$ADMIN/bin/wrapper.sh" "$@"
}
original_goes_on() {
  uploads=$BOX$ADMIN/home/sftp/uploads
  make_package 1.2.0 "$uploads/software_package-zzz.enc"
  as_original update
  same 1.2.0 "$(cat "$BOX$ADMIN/etc/version.txt")"
  as_original backup START
  grep -q '"status":"success"' "$uploads/backup.json"
  as_original backup STOP
  # As the original's server writes them.
  printf '{}' >"$uploads/app.json"
  printf '{"mode":"dhcp","interface":"eth0","hostname":"original.example"}' >"$uploads/network.json"
  printf 'mode=dhcp\ninterface=eth0\nhostname="original.example"\nntpserver=""\n' >"$uploads/network.conf"
  as_original settings dhcp
  as_original logs
  as_original services | grep -qF '{"sshd":"running"}'
  echo token-set-by-the-original >"$uploads/api.token"
  as_original token
  echo token-set-by-the-original >"$WORK/token"
  authenticates
}

forward_again() {
  start
  read_twice version '{"version":"1.2.0"}'
  by_hash 200 GET settings
  holds '"hostname":"original.example"'
  by_token 200 GET storage
  holds '"share":"/export/data"'
  by_hash 200 GET license
  served first
  make_package 1.3.0 "$WORK/package.enc"
  by_hash 202 POST update '' -F "update=@$WORK/package.enc"
  follow update
  holds '"status":"success"'
}
