#!/bin/sh
# Makes the download of the logs: `logs.sh run TASKDIR` leaves uploads/logs.tar.gz. The logs are redacted, and
# manifest.txt in the archive lists the files that were changed or left out.
LOCK=logs
NEEDS='gzip openssl tar wc'
# shellcheck source=lib.sh
. "$(dirname -- "$0")/lib.sh"
# shellcheck source=collect.sh
. "$here/collect.sh"

run() {
  log_line update_logs.log 'Gathering logs. Please wait..'
  checkpoint logs-started
  collect_begin
  collect_logs "$COLLECT/logs.tar.gz"
  checkpoint logs-packed
  put "$UPLOADS/logs.tar.gz" 640 <"$COLLECT/logs.tar.gz" || fail E1000 'The logs could not be stored'
  log_line update_logs.log 'Gathering logs successful'
}

recover() { collect_end; }

on_end() {
  collect_end
  [ "$1" = completed ] || log_line update_logs.log 'Gathering logs failed'
}

main "$@"
