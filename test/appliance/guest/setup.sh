#!/bin/sh
# In the guest's root disk while it is built: what starts at boot and what does not. A newcomer's trap: Debian starts every service that it
# installs; a test starts the ones it is about, and openipmi fails where there is no BMC.
set -eu
for folder in /usr/lib/modules/*; do depmod "${folder##*/}"; done
passwd -qd root
systemctl -q enable rig.service systemd-networkd.service
systemctl -q set-default multi-user.target
systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer logrotate.timer systemd-timesyncd.service \
  getty@.service serial-getty@.service ldconfig.service systemd-journal-catalog-update.service systemd-update-done.service e2scrub_reap.service \
  systemd-binfmt.service proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount nfs-blkmap.service openipmi.service
for unit in smbd nmbd samba-ad-dc nfs-server rpcbind.socket rpcbind.service open-iscsi iscsid.socket rtslib-fb-targetctl sanoid.timer zfs-zed \
  nvmf-autoconnect nftables; do
  systemctl -q disable "$unit" 2>/dev/null || :
done
touch /etc/.updated /var/.updated
