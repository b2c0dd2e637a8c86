#!/bin/sh
# Enables all features of the installed ZFS in a pool: `pool-upgrade.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=upgrade
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
