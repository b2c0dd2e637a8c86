#!/bin/sh
# Creates a pool: `pool-create.sh run TASKDIR LOCK`. The work is in pool.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=create
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
