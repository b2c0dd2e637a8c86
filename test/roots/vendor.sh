# shellcheck shell=sh
# What a vendor brings: the files and hooks of an image, update packages made with openssl and tar alone, as the original's are, a license and
# certificates. Sourced. A newcomer's trap: every hook writes down that it was called, with what, and as whom, and the rows read that.

ADMIN=/opt/jidoteki/tinyadmin
ULE=/usr/local/etc
HOOKS=/var/log/hooks

script() { # FILE: standard input becomes a script of the root
  mkdir -p "$BOX$(dirname -- "$1")"
  { echo '#!/bin/sh' && cat; } >"$BOX$1"
  chmod 755 "$BOX$1"
}
hook_lines() { # TEXT: how often a hook wrote that line
  grep -cxF -- "$1" "$BOX$HOOKS" || :
}
called() { # TEXT
  [ "$(hook_lines "$1")" -gt 0 ] || { echo "no hook wrote: $1"; cat "$BOX$HOOKS"; return 1; }
}

lay_files() {
  mkdir -p "$BOX$ADMIN/etc" "$BOX$ADMIN/bin" "$BOX$ADMIN/log" "$BOX$ADMIN/home/sftp/uploads" "$BOX$ULE/init.d" "$BOX/data/home/user" "$BOX/data/etc" \
    "$BOX/etc/sysconfig" "$BOX/var/log" "$WORK/vendor"
  : >"$BOX$HOOKS"
  echo 1.0.0 >"$BOX$ADMIN/etc/version.txt"
  printf '1.0.0\n- first\n' >"$BOX$ADMIN/etc/changelog.txt"
  (
    umask 077
    openssl rand -hex 24 >"$BOX$ADMIN/etc/updates.key"
    openssl genrsa -out "$WORK/vendor/updates.priv" 2048 2>/dev/null
  )
  openssl rsa -in "$WORK/vendor/updates.priv" -pubout -out "$BOX$ADMIN/etc/updates.pub" 2>/dev/null
  echo /var/log/vendor.log >"$BOX$ADMIN/etc/logs.txt"
  echo 'the vendor says hello' >"$BOX/var/log/vendor.log"
  printf 'uname -s;the kernel\nid -u;who\n' >"$BOX$ADMIN/etc/debug.txt"
  echo 'home etc' >"$BOX$ADMIN/etc/backup.txt"
  echo '{"build":"of the rig"}' >"$BOX$ULE/build.json"
  echo '{"options":["local","nfs"]}' >"$BOX$ULE/storage-options.json"
  echo 'sshd collectd' >"$BOX$ULE/allservices.txt"
  echo 'echo "sshd is running"' | script "$ULE/init.d/sshd"
  printf 'echo "collectd is stopped"\nexit 3\n' | script "$ULE/init.d/collectd"
  echo 'kept in the backup' >"$BOX/data/home/user/notes with blanks.txt"
  echo 'a=1' >"$BOX/data/etc/app.conf"
  # An image that runs from memory keeps its state by this.
  echo sda1 >"$BOX/etc/sysconfig/backup_device"
  # Nothing here shall ever end these namespaces.
  echo "echo \"rebooted by the program\" >>$HOOKS" | script /usr/local/sbin/reboot
  echo "echo \"persist \$* uid \$(id -u)\" >>$HOOKS" | script /usr/bin/symlinktool.sh
}
lay_hooks() { # those that the original has, too
  for name in network storage; do
    echo "echo \"$name \$* uid \$(id -u)\" >>$HOOKS" | script "$ADMIN/bin/$name.sh"
  done
  script "$ADMIN/bin/license.sh" <<EOF
grep -q '^good' $ADMIN/etc/license.asc || exit 1
echo '{"license":{"name":"Test Tenant","valid":true}}'
EOF
}
lay_own_hooks() { # and those that are ours
  echo "echo \"certs uid \$(id -u)\" >>$HOOKS" | script "$ADMIN/bin/certs.sh"
  echo "echo \"reboot uid \$(id -u)\" >>$HOOKS" | script "$ADMIN/bin/reboot.sh"
}

make_package() { # VERSION FILE [LINE-OF-UPDATE.SH...]
  package_version=$1 package_file=$2
  shift 2
  rm -rf "$WORK/package"
  mkdir "$WORK/package"
  (
    cd "$WORK/package" || exit
    echo "$package_version" >version.txt
    echo "payload of $package_version" >payload.txt
    {
      printf '#!/bin/sh\nset -e\n'
      [ $# -eq 0 ] || printf '%s\n' "$@"
      # shellcheck disable=SC2016 # the machine that it runs on fills it in
      printf 'cp payload.txt /data/etc/payload.txt\ncp version.txt %s/etc/version.txt\necho "update uid $(id -u)" >>%s\n' "$ADMIN" "$HOOKS"
    } >update.sh
    chmod 755 update.sh
    tar -czf software_package.tar.gz ./*
    openssl dgst -sha256 -sign "$WORK/vendor/updates.priv" -out software_package.tar.gz.sign software_package.tar.gz
    tar -cf package.tar software_package.tar.gz software_package.tar.gz.sign
    openssl enc -aes-256-cbc -md sha256 -pbkdf2 -salt -pass "file:$BOX$ADMIN/etc/updates.key" -in package.tar -out "$package_file"
  )
}
make_certificate() { # NAME: NAME.pem and NAME.key
  openssl req -x509 -newkey rsa:2048 -nodes -sha256 -days 90 -subj "/CN=$1" -addext 'subjectAltName=IP:127.0.0.1' \
    -keyout "$WORK/$1.key" -out "$WORK/$1.pem" 2>/dev/null
}
