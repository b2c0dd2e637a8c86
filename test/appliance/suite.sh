#!/bin/sh
# What rig.sh runs: builds what is missing, runs the suite that needs virtual machines, counts. `--build` only builds, `--only FILE...` runs these
# files in a guest, `--long` the files of long/, `--bench` measures in one. A newcomer's trap: only what this machine cannot do at all is skipped (`skipped: no rig: REASON`); the rest is a failure.
set -eu
# shellcheck source=cache.sh
. "$(dirname -- "$0")/cache.sh"
cd "$rig/../.."
skip() {
  echo "skipped: no rig: $1"
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
}
have() { command -v "$1" >/dev/null 2>&1; }
built() { finished qemu "$(qemu_key)" && finished kernel "$(kernel_key)" && finished image "$(image_key)"; }

[ "$(uname -sm)" = 'Linux x86_64' ] || skip "it is made for Linux x86_64, this is $(uname -sm)"
[ "$(id -u)" -eq 0 ] || skip 'it needs root, to make the disks of its virtual machines'
mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock -n 9 || { note 'waiting for another build' && flock 9; }
if ! built >/dev/null; then
  todo=
  for program in mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs curl:curl; do
    have "${program%:*}" || todo="$todo ${program#*:}"
  done
  if [ -n "$todo" ]; then
    have apt-get || skip "there is no$todo here, and no apt-get"
    # shellcheck disable=SC2086
    { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $todo; } >/dev/null 2>&1 ||
      skip "these packages cannot be installed:$todo"
  fi
  curl -fsS -m 20 -o /dev/null "$(mirror)/dists/$SUITE/Release" 2>/dev/null || skip 'no Debian mirror answers'
  unshare -m true 2>/dev/null || skip 'this root may not mount'
  for part in qemu kernel image; do
    "$rig/build-$part.sh" 9>&- || { note "the $part could not be built" && echo '0 passed, 1 failed, 0 skipped' && exit 1; }
  done
fi
exec 9>&-
NO_COLOR=1
EDGE_VM_QEMU=$(finished qemu "$(qemu_key)")
EDGE_VM_IMAGE=$(finished image "$(image_key)")
export NO_COLOR EDGE_VM_QEMU EDGE_VM_IMAGE
case ${1:-} in
  --build) exit 0 ;;
  --only)
    shift
    exec node_modules/.bin/tsx test/appliance/inside.ts "$@"
    ;;
  --long) EDGE_VM_LONG=1 exec node_modules/.bin/vitest run --config test/appliance/host.config.ts --reporter=verbose --reporter=./test/harness/reporter.ts ;;
  --bench) exec node_modules/.bin/tsx test/appliance/inside.ts --bench ;;
esac

# Parts, each a guest of one processor at a time: two at once where there is room for both, for they wait for nothing but their processor. A worker
# takes the next part when it is done with one. Each part ends with a line that counts; one that does not, or that counts no failure and fails, is one.
part() { # NAME COMMAND...
  name=$1
  shift
  { "$@" 2>&1 || echo "rig: status $?"; } | tee "$TMPDIR/$name.said" | sed -u -E "/^failed: |^[0-9]+ passed, [0-9]+ failed/d; s/^/$name | /"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$TMPDIR/$name.said" | tail -n 1)
  if grep -q '^rig: status' "$TMPDIR/$name.said"; then
    case $line in
      '' | *' 0 failed'*) line="${line:-0 passed}, 1 failed" ;;
    esac
  fi
  echo "${line:-0 passed, 1 failed}" >"$TMPDIR/$name.counted"
}
host() { node_modules/.bin/vitest run --config test/appliance/host.config.ts --reporter=verbose --reporter=./test/harness/reporter.ts "$@"; }
inside() { node_modules/.bin/tsx test/appliance/inside.ts "$@"; }
run() { # NAME
  # shellcheck disable=SC2086 # lists of files
  case $1 in
    pools) part "$1" inside $pools ;;
    shares) part "$1" inside $shares ;;
    datasets) part "$1" inside $datasets ;;
    *) part "$1" host "test/appliance/$1.test.ts" ;;
  esac
}
pools='' shares='' datasets=''
for file in test/api/storage-*.test.ts test/appliance/inside/*.test.ts; do
  case $file in
    */storage-[a-o]*) datasets="$datasets $file" ;;
    */storage-p* | */pool-*) pools="$pools $file" ;;
    *) shares="$shares $file" ;;
  esac
done
# The longest first.
parts='shares pools storage datasets'
for file in test/appliance/*.test.ts; do
  name=${file##*/}
  name=${name%.test.ts}
  case " $parts " in
    *" $name "*) ;;
    *) parts="$parts $name" ;;
  esac
done
for name in $parts; do echo '0 passed, 1 failed' >"$TMPDIR/$name.counted"; done
work() {
  for name in $parts; do
    mkdir "$TMPDIR/$name.taken" 2>/dev/null || continue
    run "$name"
  done
}
if [ "$(nproc)" -ge 2 ] && awk '$1 == "MemAvailable:" { exit $2 < 9000000 }' /proc/meminfo; then
  work &
  work
  wait
else
  work
fi
sed -n '/^failed: /p' "$TMPDIR"/*.said
cat "$TMPDIR"/*.counted | awk '{ for (i = 1; i < NF; i += 2) { gsub(",", "", $(i + 1)); sum[$(i + 1)] += $i } }
  END {
    printf "%d passed, %d failed, %d skipped\n", sum["passed"], sum["failed"], sum["skipped"]
    exit sum["failed"] > 0
  }'
