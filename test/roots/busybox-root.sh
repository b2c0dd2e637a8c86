# shellcheck shell=sh
# Lays a root with static busybox for its userland, and besides it only what busybox lacks and the manual asks for: Node, openssl, flock, each with its
# libraries. Sourced. A newcomer's trap: /bin/sh in there is busybox's, so no script that needs another shell comes along.

libraries() { # ROOT PROGRAM: what it is linked with, as paths of that root
  chroot "$1" ldd "$2" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
}

lay_busybox() { # FROM BUSYBOX TO: programs of the root FROM
  for busybox_folder in bin sbin usr/bin usr/sbin usr/lib/ssl usr/local/sbin etc/ssl proc dev root run var/log var/lib tmp; do
    mkdir -p "$3/$busybox_folder"
  done
  cp "$2" "$3/bin/busybox"
  chroot "$3" /bin/busybox --install -s
  echo 'root:x:0:0:root:/root:/bin/sh' >"$3/etc/passwd"
  echo 'root:x:0:' >"$3/etc/group"
  echo appliance >"$3/etc/hostname"
  printf '127.0.0.1 localhost appliance\n::1 localhost\n' >"$3/etc/hosts"
  for busybox_program in node openssl flock; do
    busybox_path=/usr/bin/$busybox_program
    busybox_source=$(chroot "$1" sh -c "command -v $busybox_program")
    rm -f "$3$busybox_path"
    cp -L "$1$busybox_source" "$3$busybox_path"
    libraries "$1" "$busybox_source" | while IFS= read -r busybox_library; do
      mkdir -p "$3${busybox_library%/*}"
      [ -e "$3$busybox_library" ] || cp -L "$1$busybox_library" "$3$busybox_library"
    done
  done
  cp -L "$1/etc/ssl/openssl.cnf" "$3/etc/ssl/openssl.cnf"
  ln -sf /etc/ssl/openssl.cnf "$3/usr/lib/ssl/openssl.cnf"
  chroot "$3" node --version >/dev/null && chroot "$3" openssl version >/dev/null
}
