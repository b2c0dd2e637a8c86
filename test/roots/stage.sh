#!/bin/sh
# `stage.sh ROOT NAME SCENARIO [ARGUMENT...]`, started by rig.sh as the first process of namespaces of its own: lays a copy of the root into memory,
# gives it a /proc and a /dev, and plays one scenario in it. A newcomer's trap: nothing here has to be taken away, for what it mounts goes with it.
set -eu
STAGE=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
FROM=$1 NAME=$2 SCENARIO=$3
shift 3
WORK=$(mktemp -d)
BOX=$WORK/box
mkdir "$BOX"

mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o mode=755,size=2g box "$BOX"
cp -a "$FROM/." "$BOX/"
mkdir -p "$BOX/proc" "$BOX/dev" "$BOX/run" "$BOX/tmp"
chmod 1777 "$BOX/tmp"
mount -t proc proc "$BOX/proc"
mount --bind "$BOX/proc/sys" "$BOX/proc/sys"
mount -o remount,bind,ro "$BOX/proc/sys"
mount -t tmpfs -o mode=755,size=1m dev "$BOX/dev"
for device in null:1:3 zero:1:5 full:1:7 random:1:8 urandom:1:9 tty:5:0; do
  numbers=${device#*:}
  mknod -m 666 "$BOX/dev/${device%%:*}" c "${numbers%:*}" "${numbers#*:}"
done
ln -s /proc/self/fd "$BOX/dev/fd"
ln -s fd/0 "$BOX/dev/stdin"
ln -s fd/1 "$BOX/dev/stdout"
ln -s fd/2 "$BOX/dev/stderr"
busybox hostname appliance
busybox ip link set lo up

inside() { # COMMAND...: in the root, with nothing of this machine's environment
  env -i HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin chroot "$BOX" "$@"
}

# shellcheck source=test/roots/rows.sh
. "$STAGE/rows.sh"
# shellcheck source=test/roots/vendor.sh
. "$STAGE/vendor.sh"
# shellcheck source=test/roots/product.sh
. "$STAGE/product.sh"
# shellcheck source=test/roots/client.sh
. "$STAGE/client.sh"
# shellcheck source=test/roots/drive.sh
. "$STAGE/drive.sh"
# shellcheck source=/dev/null
. "$STAGE/$SCENARIO.sh"
play "$@"
echo "end $NAME" >>"$TMPDIR/rows"
