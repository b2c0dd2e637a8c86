# shellcheck shell=sh
# Every endpoint of the admin surface, one row for each thing that a client of the original relies on. Sourced. A newcomer's trap: the same rows are
# driven whoever does the work, our scripts or the original's behind its wrapper; what only one of them can do stands in the scenarios.

drive() {
  row 'what it can do, its version, its build, its changes and its services are read' reads
  row 'a wrong hash, a wrong token, and none, are refused' refusals
  row 'a package made with openssl and tar is installed, its script runs as root' update
  row 'the same package again is refused as E1001, a damaged one as E1005' update_refused
  row 'settings are stored, and the network hook runs with them' settings
  row 'wrong settings are refused, and change nothing' settings_refused
  row 'storage options are stored, and the storage hook runs' storage
  row 'a certificate and its key are put in place, and served' certs
  row 'a key of another certificate is refused, and the old one is served' certs_refused
  row 'a license is taken, and shown' license
  row 'a license that the hook refuses never replaces the good one' license_refused
  row 'a backup is made, downloaded, and is what it says' backup
  row 'a restore brings lost data back' restore
  row 'what is no archive is refused, and changes nothing' restore_refused
  row 'the backup is deleted' backup_stop
  row 'the logs are downloaded, without the token in them' logs
  row 'the debug bundle opens with the key of the vendor' debug
  row 'the token is changed, the old one is refused, the image keeps the new one' change_token
  row 'GET reboot and POST reboot reboot' reboot
  row 'a change is written down in the audit log of the original' audit_log
}

drive_short() {
  row 'what it can do, its version, its build, its changes and its services are read' reads
  row 'a package made with openssl and tar is installed, its script runs as root' update
  row 'a backup is made, downloaded, and is what it says' backup
  row 'a restore brings lost data back' restore
}

reads() {
  read_twice endpoints '"/api/v1/admin/backup"'
  read_twice version '{"version":"1.0.0"}'
  read_twice changelog '- first'
  read_twice build '{"build":"of the rig"}'
  read_twice health '"cpu'
  read_twice services '{"sshd":"running"},{"collectd":"not running"}'
}

refusals() {
  ask 403 GET version "hash=$(printf %064d 0)"
  holds '"Error-Message":"Authentication error"'
  ask 403 GET version token=another
  ask 403 GET version ''
  # A right hash is right for its own path only.
  ask 403 GET health "hash=$(hash_of GET "$PATHS/version")"
}

update() {
  make_package 1.1.0 "$WORK/package.enc"
  by_hash 202 POST update '' -F "update=@$WORK/package.enc"
  holds '"Location":"/api/v1/admin/update"'
  follow update
  holds '"status":"success","percentage":100'
  read_twice version '{"version":"1.1.0"}'
  read_twice update/log 'Update successful'
  same 'payload of 1.1.0' "$(cat "$BOX/data/etc/payload.txt")"
  called 'update uid 0'
  called 'persist -c sda1 uid 0'
}
update_refused() {
  by_token 202 POST update '' -F "update=@$WORK/package.enc"
  follow update
  holds '"status":"failed","percentage":60'
  holds '"error-code":"E1001"'
  head -c 5000 /dev/urandom >"$WORK/noise.enc"
  by_hash 202 POST update '' -F "update=@$WORK/noise.enc"
  follow update
  holds '"error-code":"E1005"'
  [ ! -e "$BOX$ADMIN/home/sftp/uploads/software_package-zzz.enc" ] || fault 'the package is left in the uploads'
}

settings_of() { # HOSTNAME [MEMBER...]
  settings_name=$1
  shift
  printf '{"network":{"interface":"eth0","hostname":"%s"%s},"app":{"color":"blue"}}' "$settings_name" "$*" >"$WORK/settings.json"
}
settings() {
  settings_of box.example ',"ip_address":"192.0.2.10","netmask":"255.255.255.0","gateway":"192.0.2.1","dns1":"192.0.2.2"'
  by_hash 202 POST settings '' -F "settings=@$WORK/settings.json"
  until_file_holds "$HOOKS" 'network static uid 0'
  by_hash 200 GET settings wait=20
  holds '"mode":"static"'
  holds '"hostname":"box.example"'
  holds '"app":{"color":"blue"}'
  file_holds "$ULE/network.conf" mode=static
  settings_of box2.example
  by_token 202 POST settings '' -F "settings=@$WORK/settings.json"
  until_file_holds "$HOOKS" 'network dhcp uid 0'
  by_token 200 GET settings wait=20
  holds '"mode":"dhcp"'
  file_holds "$ULE/network.conf" box2.example
}
settings_refused() {
  settings_before=$(hook_lines 'network dhcp uid 0')
  settings_of 'no blanks please'
  by_hash 400 POST settings '' -F "settings=@$WORK/settings.json"
  holds 'Missing or invalid string for option: hostname'
  by_hash 200 GET settings
  holds '"hostname":"box2.example"'
  same "$settings_before" "$(hook_lines 'network dhcp uid 0')"
}

storage() {
  echo '{"storage":{"type":"nfs","ip":"192.0.2.30","share":"/export/data","mount_options":"rw,soft"}}' >"$WORK/storage.json"
  by_hash 202 POST storage '' -F "settings=@$WORK/storage.json"
  until_file_holds "$HOOKS" 'storage  uid 0'
  by_hash 200 GET storage wait=20
  holds '"share":"/export/data"'
  holds '"options":["local","nfs"]'
  file_holds "$ULE/storage.conf" /export/data
  by_token 200 GET storage
}

served() { # NAME: the certificate that a new connection gets
  served_now=$(openssl s_client -connect 127.0.0.1:8443 </dev/null 2>/dev/null | openssl x509 -noout -fingerprint -sha256)
  same "$(openssl x509 -noout -fingerprint -sha256 -in "$WORK/$1.pem")" "$served_now"
}
certs() {
  make_certificate first
  by_hash 202 POST certs '' -F "public=@$WORK/first.pem" -F "private=@$WORK/first.key"
  # The server may take the new one before it is asked.
  follow_certs first
  holds '"status":"success"'
  served first
  by_token 200 GET certs
}
follow_certs() { # NAME
  cp "$WORK/$1.pem" "$WORK/both.pem"
  cat "$BOX$CERTIFICATE" >>"$WORK/both.pem"
  certs_left=60
  while :; do
    by_hash 200 GET certs wait=10 --cacert "$WORK/both.pem"
    grep -q '"status":"running"' "$WORK/body" || return 0
    certs_left=$((certs_left - 1))
    [ "$certs_left" -gt 0 ] || fault 'certs does not end'
  done
}
certs_refused() {
  make_certificate second
  by_hash 400 POST certs '' -F "public=@$WORK/second.pem" -F "private=@$WORK/first.key"
  holds 'The key belongs to another certificate'
  served first
  for certs_left in appliance.pem appliance.key ca.pem; do
    [ ! -e "$BOX$ADMIN/home/sftp/uploads/$certs_left" ] || fault "$certs_left is left in the uploads"
  done
}

license() {
  echo 'good license' >"$WORK/license.asc"
  by_hash 200 POST license '' -F "license=@$WORK/license.asc"
  holds '{"license":{"name":"Test Tenant","valid":true}}'
  read_twice license '{"license":{"name":"Test Tenant","valid":true}}'
}
license_refused() {
  echo 'bad license' >"$WORK/license.asc"
  by_token 400 POST license '' -F "license=@$WORK/license.asc"
  read_twice license '"valid":true'
  same 'good license' "$(cat "$BOX$ADMIN/etc/license.asc")"
}

backup() {
  by_hash 202 POST backup '' -F action=START
  follow backup
  holds '"status":"success"'
  backup_sum=$(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' "$WORK/body")
  by_hash 200 GET backup/download
  head_holds 'filename="backup.tar"'
  cp "$WORK/body" "$WORK/backup.tar"
  same "$backup_sum" "$(openssl dgst -sha256 -r "$WORK/backup.tar" | cut -d ' ' -f 1)"
  tar -tf "$WORK/backup.tar" | grep -qx 'home/user/notes with blanks.txt' || fault 'a file is not in the archive'
  read_twice backup/log 'Backup complete'
}
restore() {
  echo 'overwritten by mistake' >"$BOX/data/home/user/notes with blanks.txt"
  rm "$BOX/data/etc/app.conf"
  by_hash 200 POST backup/restore '' -F "archive=@$WORK/backup.tar"
  holds '{"Status":"200 OK"}'
  same 'kept in the backup' "$(cat "$BOX/data/home/user/notes with blanks.txt")"
  same a=1 "$(cat "$BOX/data/etc/app.conf")"
}
restore_refused() {
  by_hash 400 POST backup/restore '' -F "archive=@$WORK/noise.enc"
  holds 'Unable to extract backup archive'
  same 'kept in the backup' "$(cat "$BOX/data/home/user/notes with blanks.txt")"
}
backup_stop() {
  by_token 202 POST backup '' -F action=STOP
  backup_left=100
  while by_hash 200 GET backup >/dev/null; do
    backup_left=$((backup_left - 1))
    [ "$backup_left" -gt 0 ] || fault 'the backup is still there'
    sleep 0.2
  done
  by_hash 404 GET backup
  by_hash 404 GET backup/download
}

logs() {
  by_token 200 GET logs
  head_holds 'filename="logs.tar.gz"'
  rm -rf "$WORK/logs"
  mkdir "$WORK/logs"
  tar -xzf "$WORK/body" -C "$WORK/logs"
  find "$WORK/logs" -name vendor.log | grep -q . || fault 'the log of the vendor is not in the archive'
  find "$WORK/logs" -name update.log | grep -q . || fault 'the log of the update is not in the archive'
  ! grep -rqF -- "$(token)" "$WORK/logs" || fault 'the token is in the archive'
}
debug() {
  by_hash 200 GET debug
  head_holds 'filename="debug-bundle.tar"'
  rm -rf "$WORK/debug"
  mkdir "$WORK/debug"
  cd "$WORK/debug" || return
  tar -xf "$WORK/body"
  openssl pkeyutl -decrypt -inkey "$WORK/vendor/updates.priv" -pkeyopt rsa_padding_mode:pkcs1 -in debug.key.enc -out debug.key
  openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass file:debug.key -in debug.tar.gz.enc -out debug.tar.gz
  tar -xzf debug.tar.gz
  grep -rqx Linux . || fault 'the output of the first command is not in the bundle'
}

change_token() {
  token_old=$(token)
  token_persisted=$(hook_lines 'persist -r sda1 uid 0')
  by_hash 200 POST setup '' -F newtoken="$token_old-2"
  holds '{"Status":"200 OK"}'
  by_hash 403 GET version
  echo "$token_old-2" >"$WORK/token"
  read_twice version '{"version":"1.1.0"}'
  [ "$(hook_lines 'persist -r sda1 uid 0')" -gt "$token_persisted" ] || fault 'nothing made it persistent'
}

reboot() {
  by_hash 202 GET reboot
  until_file_holds "$HOOKS" 'reboot uid 0'
  # The first one may still be ending.
  reboot_left=50
  while ! by_token 202 POST reboot; do
    reboot_left=$((reboot_left - 1))
    [ "$reboot_left" -gt 0 ]
    sleep 0.2
  done
  reboot_left=50
  until [ "$(hook_lines 'reboot uid 0')" -ge 2 ]; do
    reboot_left=$((reboot_left - 1))
    [ "$reboot_left" -gt 0 ] || fault 'it rebooted once only'
    sleep 0.2
  done
}

audit_log() {
  for audit_event in update.post settings.post storage.post certs.post backup.post backup.restore logs.get debug.get token.update.success reboot.post; do
    file_holds "$ADMIN/log/jidoteki-audit.log" ",$audit_event,"
  done
}
