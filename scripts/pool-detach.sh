#!/bin/sh
# Detaches a disk from a mirror, a replacement or a spare: `pool-detach.sh run TASKDIR LOCK POOL`. The work is in vdev.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=detach
# shellcheck source=vdev.sh
. "$(dirname -- "$0")/vdev.sh"
main "$@"
