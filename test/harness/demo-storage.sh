# shellcheck shell=sh disable=SC2154 # root, temp, url: demo.sh
# The demo's second half: storage, through accounts and JSON. It is sourced by demo.sh, which has started the server; a
# pool that it made on a real ZFS has to be gone at the end, whatever happened.

pool=edge-admin-demo-$$
storage_programs=
storage_exports=

# Real programs where the kernel has ZFS, else our fakes, and it says so.
choose_storage() {
  if [ "$(id -u)" -eq 0 ] && [ -c /dev/zfs ] && zpool version >/dev/null 2>&1; then
    echo 'The storage is real: this machine has ZFS, and the demo makes a pool of files on it.'
    return 0
  fi
  echo 'This machine has no ZFS: zpool, zfs and the others are OUR FAKES (test/fakes). make test-appliance does it on the real ones.'
  placed=$(node_modules/.bin/tsx test/fakes/place.ts "$temp/fakes") || fault 'the fakes could not be placed'
  storage_programs=$(printf '%s\n' "$placed" | sed -n 's/^programs=//p')
  storage_exports=$(printf '%s\n' "$placed" | sed -n 's/^exports=//p')
  node -e '
    const { readFileSync, writeFileSync } = require("node:fs")
    const [, file, folder] = process.argv
    const configuration = JSON.parse(readFileSync(file, "utf8"))
    configuration.storage["exports-folder"] = folder
    writeFileSync(file, JSON.stringify(configuration))' "$root/sysconf/edge-admin.json" "$storage_exports"
}

drop_pool() {
  [ -z "$storage_programs" ] || return 0
  ! zpool list "$pool" >/dev/null 2>&1 || zpool destroy -f "$pool"
}

json() { # EXPECTED-STATUS METHOD PATH [BODY] [CURL-ARGUMENT...]
  expect=$1 method=$2 path=$3 body=${4:-}
  shift 3
  [ $# -eq 0 ] || shift
  [ -z "$body" ] || set -- "$@" -H 'Content-Type: application/json' -d "$body"
  [ -z "$jwt" ] || set -- "$@" -H "Authorization: Bearer $jwt"
  ask "$expect" -X "$method" "$url$path" "$@"
}
member() { # NAME: a text of the answer
  node -p 'JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"))[process.argv[2]] ?? ""' "$temp/body" "$1"
}

until_holds() { # TEXT PATH: asks until the answer has it
  rounds=120
  while :; do
    json 200 GET "$2"
    ! grep -qF -- "$1" "$temp/body" || break
    rounds=$((rounds - 1))
    [ "$rounds" -gt 0 ] || fault "nothing like $1 came"
    sleep 0.5 2>/dev/null || sleep 1
  done
}

show_storage() {
  title 'Storage: the one-time password is exchanged for one of our own'
  jwt=
  one_time=$(cat "$root/state/admin.password")
  json 401 GET /api/v1/pools
  json 200 POST /api/v1/auth/login "{\"username\":\"admin\",\"password\":\"$one_time\"}"
  jwt=$(member token)
  json 200 PUT /api/v1/auth/password "{\"current\":\"$one_time\",\"password\":\"demo-password-1\"}"
  jwt=$(member token)
  [ ! -e "$root/state/admin.password" ] || fault 'the one-time password is still there'

  title 'A pool, of two disks that are files'
  disks=$root/state/disks
  for disk in one two; do truncate -s 128M "$disks/$disk.img" || fault 'no room for two sparse files'; done
  json 201 POST /api/v1/pools "{\"name\":\"$pool\",\"vdevs\":[\"mirror\",\"$disks/one.img\",\"$disks/two.img\"]}"
  holds '"health":"ONLINE"'

  title 'A dataset, and a share of it'
  json 201 POST /api/v1/datasets "{\"name\":\"$pool/data\",\"options\":{\"compression\":\"lz4\",\"quota\":\"64M\"}}"
  json 201 POST /api/v1/exports/nfs "{\"dataset\":\"$pool/data\",\"clients\":[\"192.168.1.0/24\"],\"read_only\":true}"
  export_id=$(member id)

  title 'A snapshot, and back to it'
  json 201 POST /api/v1/snapshots "{\"dataset\":\"$pool/data\",\"name\":\"before\"}"
  json 200 POST "/api/v1/snapshots/$pool/data@before/rollback"

  title 'A policy: the first snapshots come by themselves'
  json 201 POST /api/v1/snapshot-policies \
    "{\"dataset\":\"$pool/data\",\"hourly\":24,\"daily\":7,\"autosnap\":true,\"autoprune\":true}"
  until_holds '@daily-' "/api/v1/snapshots?dataset=$pool/data"
  until_holds '"running":0' /api/v1/dashboard

  title 'What would go with the pool is shown before it goes'
  json 409 DELETE "/api/v1/datasets/$pool/data"
  json 200 DELETE "/api/v1/exports/nfs/$export_id"
  json 200 DELETE "/api/v1/pools/$pool?dry_run=true"
  holds "$pool/data@before"
  confirm=$(member confirm)
  json 200 DELETE "/api/v1/pools/$pool?confirm=$confirm"
  json 404 GET "/api/v1/pools/$pool"
  json 200 GET '/api/v1/audit?resource=pools&limit=3'
  holds '"action":"pools.delete"'
}
