# shellcheck shell=sh
# Where the built roots are kept, and by which key. Sourced. The rest of the cache is that of the virtual machines: see test/appliance/cache.sh.
# shellcheck source=test/appliance/cache.sh
. "$(dirname -- "$0")/../appliance/cache.sh"
SUITE=bookworm
CACHE=${EDGE_ROOTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/edge-admin-roots}

roots_key() { { cat "$rig/build.sh" "$rig/busybox-root.sh" && node --version; } | digest -; }
