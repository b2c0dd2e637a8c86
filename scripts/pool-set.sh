#!/bin/sh
# Sets properties of a pool: `pool-set.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=set
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
