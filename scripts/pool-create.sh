#!/bin/sh
# Makes a pool: `pool-create.sh run TASKDIR LOCK`. A newcomer's trap: pool.sh, which does it, sets no lock of its own.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=create
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
