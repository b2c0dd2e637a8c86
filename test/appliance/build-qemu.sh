#!/bin/sh
# QEMU of the guest's suite, unpacked into the cache and not installed: an older one emulates two to three times slower. A newcomer's trap: it
# runs with its own libraries, through its own loader.
set -eu
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
key=$(qemu_key)
! finished qemu "$key" >/dev/null || exit 0
work_begin
note 'unpacking QEMU (once, some seconds)'
bootstrap --variant=extract --include=qemu-system-x86,libc6 "$SUITE" "$WORK/root" "$(mirror)" || stop 'QEMU could not be unpacked'
mkdir -p "$WORK/out/usr/bin" "$WORK/out/usr/lib" "$WORK/out/usr/share"
(
  cd "$WORK/root/usr"
  cp -a lib/x86_64-linux-gnu "$WORK/out/usr/lib/"
  cp -a bin/qemu-system-x86_64 "$WORK/out/usr/bin/"
  cp -a share/qemu share/seabios "$WORK/out/usr/share/"
)
cat >"$WORK/out/qemu" <<'END'
#!/bin/sh
here=$(dirname -- "$(readlink -f -- "$0")")
export QEMU_MODULE_DIR="$here/usr/lib/x86_64-linux-gnu/qemu"
exec "$here/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "$here/usr/lib/x86_64-linux-gnu" "$here/usr/bin/qemu-system-x86_64" \
  -L "$here/usr/share/qemu" -L "$here/usr/share/seabios" "$@"
END
chmod 755 "$WORK/out/qemu"
version=$("$WORK/out/qemu" --version | sed -n '1s/.*version \([0-9.]*\).*/\1/p')
[ -n "$version" ] || stop 'the unpacked QEMU does not start'
work_done qemu "$version" "$key"
