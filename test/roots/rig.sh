#!/bin/sh
# `make test-roots`: the packed archive, installed and driven in a Debian 12 and in a BusyBox-only root. `rig.sh --only WORD` plays the scenarios with
# that word in their name, `--build` only builds the roots, `--clean` removes them, `--smoke` plays a short one in a root of this machine's own
# busybox. A newcomer's trap: a scenario is one process in namespaces of its own; whatever ends this script ends that process, and with it go its
# mounts, its servers and its network.
set -eu
# shellcheck source=test/roots/places.sh
. "$(dirname -- "$0")/places.sh"
LIMIT=${EDGE_ROOTS_LIMIT:-600}
cd "$rig/../.."
skip() {
  echo "skipped: no rig: $1"
  echo '0 passed, 0 failed, 1 skipped'
  exit 0
}

ONLY=
case ${1:-} in
  --clean)
    rm -rf "$CACHE"
    exit 0
    ;;
  --only) ONLY=${2:?a word of the name} ;;
esac

[ "$(uname -s)" = Linux ] || skip "namespaces are Linux's, this is $(uname -s)"
[ "$(id -u)" -eq 0 ] || skip 'it takes root to mount'
APART='unshare --mount --pid --net --uts --ipc --fork --kill-child --propagation private'
# shellcheck disable=SC2086 # words
$APART true 2>/dev/null || skip 'this root may not make namespaces'

ARCHIVE=$rig/../../dist/edge-admin-$(node -p 'require("./package.json").version').tar.gz
[ -f "$ARCHIVE" ] || stop "there is no $ARCHIVE: run 'make dist'"
TMPDIR=$(mktemp -d)
: >"$TMPDIR/rows"
export TMPDIR ARCHIVE
group=
# shellcheck disable=SC2317 # the trap calls it
end_group() {
  [ -z "$group" ] || kill -KILL "-$group" 2>/dev/null || :
  rm -rf "$TMPDIR"
}
trap end_group EXIT
trap 'exit 130' INT TERM HUP

roots() { # built, if they are not there
  mkdir -p "$CACHE"
  exec 9>"$CACHE/lock"
  flock -n 9 || { note 'waiting for another build' && flock 9; }
  if ! finished roots "$(roots_key)" >/dev/null; then
    command -v mmdebstrap >/dev/null 2>&1 || {
      command -v apt-get >/dev/null 2>&1 || skip 'there is no mmdebstrap here, and no apt-get'
      { apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mmdebstrap; } >/dev/null 2>&1 ||
        skip 'mmdebstrap cannot be installed'
    }
    curl -fsS -m 20 -o /dev/null "$(mirror)/dists/$SUITE/Release" 2>/dev/null || skip 'no Debian mirror answers'
    unshare --mount --pid --mount-proc --fork --kill-child --propagation private "$rig/build.sh" 9>&- ||
      { note 'the roots could not be built' && echo '0 passed, 1 failed' && exit 1; }
  fi
  exec 9>&-
  ROOTS=$(finished roots "$(roots_key)")
}

scenario() { # NAME ROOT SCENARIO [ARGUMENT...]
  scenario_name=$1 scenario_root=$ROOTS/$2
  shift 2
  case $scenario_name in *"$ONLY"*) ;; *) return 0 ;; esac
  # `timeout` makes the group. Even a `kill -9` of this script is the end of all of it.
  # shellcheck disable=SC2086 # words
  setpriv --pdeathsig KILL timeout -s KILL "$LIMIT" setpriv --pdeathsig KILL $APART "$rig/stage.sh" "$scenario_root" "$scenario_name" "$@" </dev/null &
  group=$!
  wait "$group" || :
  group=
  grep -qxF "end $scenario_name" "$TMPDIR/rows" || echo "FAIL $scenario_name: it did not come to its end" | tee -a "$TMPDIR/rows"
}

count() {
  sed -n '/^FAIL/s/^FAIL/failed:/p' "$TMPDIR/rows"
  awk '$1 == "ok" { passed++ } $1 == "FAIL" { failed++ } END { printf "%d passed, %d failed\n", passed, failed; exit failed > 0 || passed == 0 }' \
    "$TMPDIR/rows" || exit 1
  exit 0
}

if [ "${1:-}" = --smoke ]; then
  ROOTS=$TMPDIR
  # shellcheck source=test/roots/busybox-root.sh
  . "$rig/busybox-root.sh"
  lay_busybox / "$(command -v busybox)" "$ROOTS/busybox"
  scenario busybox busybox installed root short
  count
fi
roots
[ "${1:-}" != --build ] || exit 0
scenario debian debian installed root
scenario busybox busybox installed root
scenario debian-sudo debian installed sudo
scenario drop-in-by-scripts debian drop-in scripts
scenario drop-in-by-wrapper debian drop-in wrapper
scenario debian-own-node node18 old-node
scenario busybox-without-node busybox old-node without
count
