#!/bin/sh
# Removes a vdev from a pool: `pool-remove.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=remove
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
