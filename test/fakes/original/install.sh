#!/bin/sh
# Lays stand-ins for the original's backend into an appliance: `install.sh ROOT SYSCONFDIR DATADIR [PREFIX]`. They are ours, written from what
# the original is known to do: wrapper.sh takes its verb from SSH_ORIGINAL_COMMAND alone and the argument from $1, and the update_*.sh find
# their files in the uploads under fixed names. They check what they are given: what the original's server would not send is refused, and each
# call is a line of ROOT/log/original-calls.log. PREFIX stands before /tmp (its locks), /usr/bin/symlinktool.sh and /etc/sysconfig. Where the
# machine has bin/network.sh, storage.sh, license.sh or reboot.sh they are called; nothing else of the machine is touched, and nothing reboots.
# Then: {"wrapper": "ROOT/bin/wrapper.sh"} in edge-admin.json, or EDGE_WRAPPER in the file `settings` beside the scripts in sudo mode.
set -eu
root=${1:?} sysconf=${2:?} data=${3:?} prefix=${4:-}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
lay() { # SOURCE NAME
  sed -e "s|@ROOT@|$root|g" -e "s|@SYSCONFDIR@|$sysconf|g" -e "s|@DATADIR@|$data|g" -e "s|@PREFIX@|$prefix|g" "$here/$1" >"$root/bin/$2.new"
  chmod 755 "$root/bin/$2.new"
  mv -f "$root/bin/$2.new" "$root/bin/$2"
}
mkdir -p "$root/bin" "$root/etc" "$root/log" "$root/tmp" "$root/home/sftp/uploads" "$sysconf" "$prefix/tmp"
lay wrapper.sh wrapper.sh
for name in vm settings storage certs license token logs debug services backup; do
  lay update.sh "update_$name.sh"
done
