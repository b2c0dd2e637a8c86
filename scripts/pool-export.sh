#!/bin/sh
# Exports a pool: `pool-export.sh run TASKDIR LOCK`. The work is in pool.sh.
# shellcheck disable=SC2034
LOCK=${3:-} VERB=export
# shellcheck source=pool.sh
. "$(dirname -- "$0")/pool.sh"
main "$@"
