#!/bin/sh
# shellcheck disable=SC2015,SC2317 # functions are called by their names, and what follows || ends the script
# A stand-in for each of the original's bin/update_*.sh, by the name that it is called by (install.sh lays it).
set -u
root='@ROOT@' sysconf='@SYSCONFDIR@' data='@DATADIR@' prefix='@PREFIX@'
uploads=$root/home/sftp/uploads etc=$root/etc
name=${0##*/update_}
name=${name%.sh}
lock=$prefix/tmp/update_$name.sh.task
case $name in vm) log=$root/log/update.log ;; *) log=$root/log/update_$name.log ;; esac

say() { printf '[%s][STAND-IN] %s\n' "$(date +%s)" "$1" | tee -a "$log"; }
owned() { # MODE GROUP FILE...
  owned_mode=$1 owned_group=$2
  shift 2
  chmod "$owned_mode" "$@"
  [ "$(id -u)" != 0 ] || chown "0:$owned_group" "$@"
}
# The original moves what it finds; a file that its server could not have made there is refused.
given() { # NAME...
  for given_name in "$@"; do
    { [ -f "$uploads/$given_name" ] && [ ! -L "$uploads/$given_name" ] && [ -s "$uploads/$given_name" ]; } || return 1
  done
}
# One that only root could read would be useless to the tools that the original starts as another user.
for_the_group() { # NAME: of the uploads folder's group, and readable by it
  [ "$(stat -c %g "$uploads/$1")" = "$(stat -c %g "$uploads")" ] || return 1
  case $(stat -c %a "$uploads/$1") in ?[4567]?) ;; *) return 1 ;; esac
}
take() { # NAME FOLDER: the original's modes and owners
  mv -f "$uploads/$1" "$2/$1" && owned 640 997 "$2/$1"
}
single() {
  if [ -f "$lock" ]; then
    echo 'already running'
    exit 1
  fi
  : >"$lock"
}
hook() { # NAME [ARGUMENT]
  [ ! -x "$root/bin/$1.sh" ] || { hook_script=$root/bin/$1.sh; shift; "$hook_script" "$@"; }
}
leave() { # TEXT
  rm -f "$lock"
  say "$1"
  exit 1
}

settings() { # static|dhcp
  say 'Updating settings. Please wait..'
  { given app.json network.json network.conf && grep -q "^mode=$1\$" "$uploads/network.conf"; } || leave 'Invalid or missing settings file'
  { take app.json "$etc" && take network.json "$etc" && take network.conf "$sysconf" && hook network "$1"; } ||
    leave 'Invalid or missing settings file'
  say 'Updating settings successful'
}

storage() {
  say 'Updating settings. Please wait..'
  { given storage.json storage.conf && take storage.json "$etc" && take storage.conf "$sysconf" && hook storage; } ||
    leave 'Invalid or missing settings file'
  say 'Updating settings successful'
}

token() {
  given api.token || leave 'Invalid or missing API token file'
  # The original knows the token itself only.
  ! grep -q '^sha256 ' "$uploads/api.token" || leave 'Invalid or missing API token file'
  say 'Updating API token. Please wait..'
  mv -f "$uploads/api.token" "$etc/api.token" && owned 660 997 "$etc/api.token" || leave 'Invalid or missing API token file'
  say 'Updating API token successful'
}

license() {
  given license.asc || leave 'Invalid or missing license file'
  say 'Updating license. Please wait..'
  take license.asc "$etc"
  say 'Updating license successful'
  "$root/bin/license.sh" || leave 'Invalid or missing license file'
}

certs() {
  trap 'rm -f "$lock"' EXIT
  echo running >"$etc/status_certs.txt"
  owned 644 997 "$etc/status_certs.txt"
  say 'Validating and adding TLS certificates'
  certs_failed() {
    echo failed >"$etc/status_certs.txt"
    leave 'Invalid or missing TLS certificate files'
  }
  cd "$uploads" && given appliance.pem appliance.key || certs_failed
  echo 'Checking public key: appliance.pem' | tee -a "$log"
  certs_public=$(openssl x509 -noout -modulus -in appliance.pem </dev/null) || certs_failed
  echo 'Checking private key: appliance.key' | tee -a "$log"
  certs_private=$(openssl rsa -noout -modulus -in appliance.key </dev/null) || certs_failed
  [ "$certs_public" = "$certs_private" ] || certs_failed
  [ ! -f ca.pem ] || openssl x509 -noout -in ca.pem </dev/null || certs_failed
  certs_pki=$sysconf/pki/tls
  mkdir -p "$certs_pki/private" "$certs_pki/certs" "$certs_pki/cacerts"
  cat appliance.key appliance.pem >"$certs_pki/enterprise.pem"
  [ ! -f ca.pem ] || { cat ca.pem >>"$certs_pki/enterprise.pem"; mv -f ca.pem "$certs_pki/cacerts/enterprise-ca.crt"; }
  mv -f appliance.key "$certs_pki/private/enterprise.key"
  mv -f appliance.pem "$certs_pki/certs/enterprise.crt"
  owned 640 50 "$certs_pki/private/enterprise.key" "$certs_pki/certs/enterprise.crt"
  owned 640 997 "$certs_pki/enterprise.pem"
  say 'Add TLS certificates successful'
  echo success >"$etc/status_certs.txt"
}

logs() {
  say 'Generating compressed logs. Please wait..'
  [ -f "$etc/logs.txt" ] || leave 'Invalid or missing log file'
  # shellcheck disable=SC2046 # a list of paths, as the original has it
  (cd / && tar -czf "$prefix/tmp/logs.tar.gz" "${root#/}/log" $(sed 's,^/,,; s, /, ,g' "$etc/logs.txt") 2>/dev/null) || :
  [ -s "$prefix/tmp/logs.tar.gz" ] || leave 'Invalid or missing log file'
  owned 640 997 "$prefix/tmp/logs.tar.gz"
  mv -f "$prefix/tmp/logs.tar.gz" "$uploads/logs.tar.gz"
  say 'Generated compressed logs successful'
}

debug() {
  trap 'rm -rf "$root/tmp/debug"; rm -f "$lock"' EXIT
  say 'Generating compressed debug-bundle.tar. Please wait..'
  mkdir -p "$root/tmp/debug" && cd "$root/tmp/debug" && [ -f "$etc/debug.txt" ] || leave 'Invalid or missing debug file'
  debug_number=0
  while IFS= read -r debug_line; do
    debug_number=$((debug_number + 1))
    { echo "Running: ${debug_line%%;*}"; eval "${debug_line%%;*}"; } >"debug-$debug_number.log" 2>&1
  done <"$etc/debug.txt"
  { tar -czf debug.tar.gz ./*.log && openssl rand -base64 32 >debug.key &&
    openssl pkeyutl -encrypt -pubin -inkey "$etc/updates.pub" -in debug.key -out debug.key.enc &&
    openssl enc -aes-256-cbc -md sha256 -pbkdf2 -salt -in debug.tar.gz -out debug.tar.gz.enc -pass file:debug.key &&
    tar -cf debug-bundle.tar debug.key.enc debug.tar.gz.enc; } || leave 'Invalid or missing debug file'
  owned 640 997 debug-bundle.tar
  mv -f debug-bundle.tar "$uploads/"
  say 'Generated debug bundle successful'
}

services() {
  printf '{"services":[{"jidoteki-admin-api":"running"}'
  # shellcheck disable=SC2013 # words
  for services_name in $(cat "$sysconf/allservices.txt" 2>/dev/null); do
    services_state='not running'
    case $("$sysconf/init.d/$services_name" status 2>/dev/null) in *'is running'* | *online*) services_state=running ;; esac
    printf ',{"%s":"%s"}' "$services_name" "$services_state"
  done
  printf ']}'
}

backup() { # START|STOP|RESTORE
  backup_tar=$uploads/backup.tar backup_json=$uploads/backup.json
  backup_failed() {
    rm -f "$backup_tar" "$lock" "$uploads/backup-archive.tar"
    [ ! -f "$backup_json" ] || printf '{"status":"failed"}' >"$backup_json"
    say "$1"
    exit 1
  }
  case $1 in
    START)
      echo $$ >"$lock"
      trap "backup_failed 'Backup failed'" INT TERM
      printf '{"status":"running"}' >"$backup_json"
      owned 644 997 "$backup_json"
      say 'Validating backup file size'
      cd "$data" || backup_failed 'Backup failed'
      # shellcheck disable=SC2046 # patterns
      backup_size=$(tar -cf - $(cat "$etc/backup.txt") 2>/dev/null | wc -c)
      [ "$backup_size" -gt 0 ] || backup_failed 'Backup failed'
      say 'Starting backup'
      # For tests that stop one: it waits as long as this file is there.
      while [ -e "$root/tmp/hold-backup" ]; do sleep 0.1; done
      # shellcheck disable=SC2046
      tar -cf "$backup_tar" $(cat "$etc/backup.txt") || backup_failed 'Backup failed'
      backup_sum=$(openssl dgst -sha256 -r "$backup_tar" | cut -d ' ' -f 1)
      printf '{"status":"success","filesize":"%s","sha256":"%s"}' "$(du -h "$backup_tar" | cut -f 1)" "$backup_sum" >"$backup_json"
      say 'Backup complete'
      ;;
    STOP)
      if [ -f "$lock" ]; then
        say 'Stopping backup'
        kill "$(cat "$lock")" || :
      fi
      if [ -f "$backup_tar" ]; then
        say 'Deleting backup archive'
        rm -f "$backup_tar" "$backup_json"
      fi
      ;;
    RESTORE)
      echo $$ >"$lock"
      say "Restoring backup archive to $data"
      { given backup-archive.tar && for_the_group backup-archive.tar; } || backup_failed 'Restore failed'
      # The original does this as uid 997; here the folder may be closed to everybody else.
      tar -C "$data" -xof "$uploads/backup-archive.tar" || backup_failed 'Restore failed'
      rm -f "$uploads/backup-archive.tar"
      say 'Restore complete'
      ;;
  esac
  rm -f "$lock"
}

vm() {
  vm_state() { # STATUS PERCENTAGE
    echo "$1" >"$etc/status_update.txt"
    printf '{"status":"%s","percentage":%d}' "$1" "$2" >"$etc/status_update.json"
    owned 644 997 "$etc/status_update.txt" "$etc/status_update.json"
    vm_at=$2
  }
  vm_error() { # TEXT CODE
    echo "$1" >"$etc/status_error_message.txt"
    echo "$2" >"$etc/status_error_code.txt"
    say "$1"
    vm_state failed "$vm_at"
    say 'Failed updating. Cleaning up..'
    exit 1
  }
  vm_at=0
  [ ! -f "$lock" ] || vm_error 'Update is already running' E1004
  echo $$ >"$lock"
  trap 'rm -rf "$root/tmp/extracted" "$root/tmp/update" "$root"/tmp/software_package*; rm -f "$lock"' EXIT
  vm_state running 10
  rm -f "$etc/status_error_message.txt" "$etc/status_error_code.txt"
  say 'Updating. Please wait..'
  vm_package=$(cd "$uploads" && printf '%s\n' software_package-*.enc* | sort -V -r | head -n 1)
  [ -f "$uploads/$vm_package" ] || vm_error 'Missing update package' E1003
  vm_state running 30
  mkdir -p "$root/tmp/extracted" "$root/tmp/update"
  mv -f "$uploads/$vm_package" "$root/tmp/"
  cd "$root/tmp" || vm_error 'Script error' E1000
  openssl enc -d -aes-256-cbc -md sha256 -pbkdf2 -pass "file:$etc/updates.key" -in "$vm_package" | tar -C extracted -xf - ||
    vm_error 'Error decrypting software update package' E1005
  rm -f "$vm_package"
  vm_state running 40
  openssl dgst -sha256 -verify "$etc/updates.pub" -signature extracted/software_package.tar.gz.sign extracted/software_package.tar.gz ||
    vm_error 'Error verifying software update package signature' E1005
  tar -C update -o -zxf extracted/software_package.tar.gz || vm_error 'Error extracting software update package' E1005
  vm_state running 60
  if [ -f update/version.txt ] && [ -f "$etc/version.txt" ]; then
    vm_new=$(cat update/version.txt) vm_old=$(cat "$etc/version.txt")
    [ "$vm_new" != "$vm_old" ] || vm_error "software update package v$vm_new already up-to-date." E1001
    [ "$(printf '%s\n' "$vm_new" "$vm_old" | sort -V | tail -n 1)" = "$vm_new" ] || vm_error "software update package v$vm_new is too old." E1001
  fi
  vm_state running 70
  cd update || vm_error 'Script error' E1000
  umask 027
  chmod +x update.sh && ./update.sh || vm_error 'Error running update' E1002
  umask 022
  vm_state success 100
  say 'Update successful'
}

[ -d "$uploads" ] || exit 1
case $name-${1-} in
  # These look at their lock by themselves.
  vm-) vm ;;
  backup-START | backup-RESTORE)
    [ ! -f "$lock" ] || { echo 'already running'; exit 1; }
    backup "$1"
    ;;
  backup-STOP) backup STOP ;;
  services-FETCH) services ;;
  settings-static | settings-dhcp)
    single
    settings "$1"
    ;;
  storage- | certs- | license- | token- | logs- | debug-)
    single
    "$name"
    ;;
  *) exit 1 ;;
esac
rc=$?
case $name in backup | services) ;; *) rm -f "$lock" ;; esac
exit "$rc"
