#!/bin/sh
# Brings a disk of a pool online: `pool-online.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=online
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
