#!/bin/sh
# Destroys a pool: `pool-destroy.sh run TASKDIR LOCK`. The work is in pool.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=destroy
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
