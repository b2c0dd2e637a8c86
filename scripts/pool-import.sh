#!/bin/sh
# Imports a pool: `pool-import.sh run TASKDIR LOCK`. A newcomer's trap: pool.sh, which does it, sets no lock of its own.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=import
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
