#!/bin/sh
# Runs the recorded requests of the original against our server. Called inside a mount namespace of its own, because the recorded
# fixtures name /opt/jidoteki: what is bound there is the temporary folder, and nothing outside the namespace sees it.
# usage: replay.sh TEMP REPLAY BUNDLE PORT TOKEN SKIP RESULTS
set -eu
temp=$1 replay=$2 bundle=$3 port=$4 token=$5 skip=$6 results=$7
mkdir -p "$temp/opt" "$temp/ule" "$temp/state"
# Inside this namespace /opt is ours alone, and empty.
mount -t tmpfs tmpfs /opt
mkdir /opt/jidoteki
mount --bind "$temp/opt" /opt/jidoteki
admin=/opt/jidoteki/tinyadmin
mkdir -p "$admin/etc" "$admin/bin" "$admin/log" "$admin/tmp" "$admin/home/sftp/uploads" /opt/jidoteki/data
# The one hook that the fixtures lack: without it a recorded GET /reboot would reboot this machine.
printf '#!/bin/sh\necho reboot >>/opt/jidoteki/reboot.log\n' >"$admin/bin/reboot.sh"
cp -p "$replay"/fixtures/base/admin/bin/*.sh "$admin/bin/"
chmod 755 "$admin"/bin/*.sh
printf '%s\n' "$token" >"$admin/etc/api.token"

cat >"$temp/restart.sh" <<END
#!/bin/sh
if [ -f "$temp/pid" ]; then
  pid=\$(cat "$temp/pid")
  kill "\$pid" 2>/dev/null || :
  while kill -0 "\$pid" 2>/dev/null; do sleep 0.05; done
fi
node "$bundle" serve --root $admin --sysconfdir "$temp/ule" --datadir /opt/jidoteki/data --statedir "$temp/state" \
  --host 127.0.0.1 --port $port --no-tls --compat original >>"$temp/server.log" 2>&1 &
echo \$! >"$temp/pid"
for _ in \$(seq 100); do
  node -e 'require("net").connect($port, "127.0.0.1").on("connect", () => process.exit(0)).on("error", () => process.exit(1))' && exit 0
  kill -0 \$(cat "$temp/pid") || exit 1
done
exit 1
END
# Nothing is under way when no task says that it is.
cat >"$temp/idle.sh" <<END
#!/bin/sh
! grep -lE '"status":"(pending|running)"' "$temp"/state/tasks/*/status.json >/dev/null 2>&1
END
chmod 755 "$temp/restart.sh" "$temp/idle.sh"
cp "$replay/fixtures/base/ule/jidoteki-admin-api.json" "$temp/ule/"
"$temp/restart.sh"
status=0
python3 "$replay/replay.py" "http://127.0.0.1:$port" "$token" --admin $admin --ule "$temp/ule" --data /opt/jidoteki/data --opt /opt/jidoteki \
  --restart "$temp/restart.sh" --idle "$temp/idle.sh" --effects --skip "$skip" --json "$results" || status=$?
kill "$(cat "$temp/pid")" 2>/dev/null || :
exit $status
