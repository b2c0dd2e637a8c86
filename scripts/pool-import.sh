#!/bin/sh
# Imports a pool: `pool-import.sh run TASKDIR LOCK`. The work is in pool.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=import
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
