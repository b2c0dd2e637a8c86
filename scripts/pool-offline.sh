#!/bin/sh
# Takes a disk of a pool offline: `pool-offline.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=offline
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
