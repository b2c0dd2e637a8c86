#!/bin/sh
# Replaces a disk of a pool: `pool-replace.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=replace
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
