#!/bin/sh
# `make demo`: a throw-away appliance, and the whole main job against it with the real curl: every request and answer is
# printed, every answer is checked. What is printed as token and hash belongs to an appliance that is gone at the end.
set -eu
cd "$(dirname -- "$0")/../.."
temp=$(mktemp -d)
root=$temp/appliance
pid=
end() {
  code=$?
  trap - EXIT
  if [ -n "$pid" ]; then
    kill "$pid" 2>/dev/null || :
    wait "$pid" 2>/dev/null || :
  fi
  drop_pool
  rm -rf "$temp"
  exit "$code"
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# shellcheck source=test/harness/demo-storage.sh
. test/harness/demo-storage.sh

fault() {
  printf '\nThe demo failed: %s\n' "$1" >&2
  [ ! -s "$temp/server.log" ] || tail -n 20 "$temp/server.log" >&2
  exit 1
}
title() { printf '\n== %s\n' "$1"; }
edge_admin() {
  printf '$ edge-admin %s\n' "$*"
  scripts/edge-admin "$@"
}

# The hash, as the contract computes it: the key is the hexadecimal SHA-256 of the token, the message is method and path.
hash() { # METHOD PATH
  key=$(printf %s "$token" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
  printf '%s' "$1$2" | openssl dgst -sha256 -hmac "$key" -r | cut -d ' ' -f 1
}
file_is_text() { [ "$(LC_ALL=C tr -d '\000' <"$temp/body" | wc -c)" -eq "$(wc -c <"$temp/body")" ]; }
ask() { # EXPECTED-STATUS CURL-ARGUMENT...: prints both sides; the answer's body is in $temp/body
  expected=$1
  shift
  printf '$ curl'
  for word in "$@"; do
    case $word in *\"*) printf " '%s'" "$word" ;; *[\?\&\ ]*) printf ' "%s"' "$word" ;; *) printf ' %s' "$word" ;; esac
  done
  printf '\n'
  status=$(curl -sS -m 60 --cacert "$root/sysconf/pki/tls/certs/enterprise.crt" -o "$temp/body" -w '%{http_code}' "$@") ||
    fault 'curl could not reach the server'
  printf '%s ' "$status"
  if file_is_text; then cat "$temp/body"; else printf '(%s bytes)' "$(wc -c <"$temp/body")"; fi
  printf '\n'
  [ "$status" = "$expected" ] || fault "status $status instead of $expected"
}
signed() { # EXPECTED-STATUS METHOD NAME [QUERY] [CURL-ARGUMENT...]
  expect=$1 method=$2 path=/api/v1/admin/$3 query=${4:-}
  shift 3
  [ $# -eq 0 ] || shift
  ask "$expect" -X "$method" "$url$path?${query:+$query&}hash=$(hash "$method" "$path")" "$@"
}
holds() { # TEXT: the answer has it
  grep -qF -- "$1" "$temp/body" || fault "the answer does not hold $1"
}
follow() { # NAME: asks until it is no longer running; each question waits for a change
  rounds=60
  while :; do
    signed 200 GET "$1" wait=10
    grep -q '"status":"running"' "$temp/body" || break
    rounds=$((rounds - 1))
    [ "$rounds" -gt 0 ] || fault "$1 does not end"
  done
}

title 'A throw-away appliance'
edge_admin init --root "$root" --sample >/dev/null
choose_storage
# A busy machine starts the server after it is first looked for.
: >"$temp/server.log"
scripts/edge-admin serve --root "$root" --sysconfdir "$root/sysconf" --datadir "$root/data" --statedir "$root/state" \
  ${storage_programs:+--programs "$storage_programs"} --port 0 >"$temp/server.log" 2>&1 &
pid=$!
left=300
url=
while [ -z "$url" ]; do
  url=$(sed -n 's/.*"url":"\([^"]*\)".*"msg":"listening".*/\1/p' "$temp/server.log")
  kill -0 "$pid" 2>/dev/null || fault 'the server ended'
  left=$((left - 1))
  [ "$left" -gt 0 ] || fault 'the server does not listen'
  [ -n "$url" ] || sleep 0.1 2>/dev/null || sleep 1
done
echo "It listens on $url"

title 'Set-up: the one-time phrase is exchanged for a token'
token=$(cat "$root/etc/api.token.setup")
[ -n "$token" ] || fault 'there is no set-up phrase'
ask 403 "$url/api/v1/admin/version?token=$token"
holds '"First-Run":true'
ask 200 -F newtoken=demo-token-1 "$url/api/v1/admin/setup?token=$token"
holds '{"Status":"200 OK"}'
token=demo-token-1

title 'Health, signed'
signed 200 GET health
holds '"cpu5min":'
ask 403 "$url/api/v1/admin/health?hash=$(printf '%064d' 0)"
holds 'Authentication error'

title 'An update package: built, inspected, uploaded'
signed 200 GET version
holds '{"version":"1.0.0"}'
mkdir "$temp/update"
cat >"$temp/update/update.sh" <<END
#!/bin/sh
set -e
echo "update.sh: the payload says \$(cat greeting.txt)"
cp greeting.txt "$root/data/etc/greeting.txt"
cp version.txt "$root/etc/version.txt"
END
chmod 755 "$temp/update/update.sh"
echo 'good morning' >"$temp/update/greeting.txt"
package=$temp/software_package-2.0.0.enc
edge_admin package build --key "$root/etc/updates.key" --sign "$root/state/vendor/updates.priv" --version 2.0.0 --out "$package" "$temp/update"
edge_admin package verify "$package" --key "$root/etc/updates.key" --pub "$root/etc/updates.pub" --installed 1.0.0
signed 202 POST update '' -F "update=@$package"
holds '"Location":"/api/v1/admin/update"'

title 'Followed to its end'
follow update
holds '"status":"success","percentage":100'
signed 200 GET version
holds '{"version":"2.0.0"}'
[ "$(cat "$root/data/etc/greeting.txt")" = 'good morning' ] || fault 'the payload did not arrive'

title 'The log'
signed 200 GET update/log
holds '[SYSTEM] Update successful'

title 'The same package again is refused, and says why'
signed 202 POST update '' -F "update=@$package"
follow update
holds '"error-code":"E1001"'

title 'A backup, and its download'
signed 202 POST backup '' -F action=START
follow backup
holds '"status":"success"'
sum=$(sed -n 's/.*"sha256":"\([0-9a-f]*\)".*/\1/p' "$temp/body")
signed 200 GET backup/download
cp "$temp/body" "$temp/backup.tar"
[ "$(openssl dgst -sha256 -r "$temp/backup.tar" | cut -d ' ' -f 1)" = "$sum" ] || fault 'the download is not the backup'
tar -tf "$temp/backup.tar" | grep -q '^home/user/notes.txt$' || fault 'the backup lacks a file'

title 'Data is lost, and restored'
notes=$root/data/home/user/notes.txt
before=$(cat "$notes")
echo 'overwritten by mistake' >"$notes"
signed 200 POST backup/restore '' -F "archive=@$temp/backup.tar"
holds '{"Status":"200 OK"}'
[ "$(cat "$notes")" = "$before" ] || fault 'the data is not back'
printf '$ cat data/home/user/notes.txt\n%s\n' "$before"

show_storage

title 'The end'
kill "$pid"
code=0
wait "$pid" || code=$?
pid=
[ "$code" -eq 0 ] || fault "the server ended with $code"
grep -q 'token.update.success' "$root/log/jidoteki-audit.log" || fault 'the set-up is not in the audit log'
! grep -q "$token" "$root/log/jidoteki-audit.log" "$temp/server.log" || fault 'the token is in a log'
printf 'Everything happened as it should.\n'
