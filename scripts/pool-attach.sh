#!/bin/sh
# Attaches a disk to a mirror, to a single disk or to a RAID-Z: `pool-attach.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=attach
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
