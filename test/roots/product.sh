# shellcheck shell=sh
# The product in the root: unpacked and installed by its own install.sh, started by its init script. Sourced.

unpack_and_install() {
  mkdir -p "$BOX/root"
  cp "$ARCHIVE" "$BOX/root/"
  # Its own tar and its own shell do it.
  inside sh -c "cd /root && tar -xzf ./*.tar.gz && cd edge-admin-*/ && SERVER_USER=${SERVER_USER:-} sh ./install.sh"
  rm -rf "$BOX"/root/edge-admin-*
  [ -L "$BOX/usr/bin/edge-admin" ] || fault 'there is no command'
}
start() {
  inside /etc/init.d/edge-admin start
  inside /etc/init.d/edge-admin status
  serves
}
