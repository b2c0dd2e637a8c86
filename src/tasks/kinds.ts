// Every kind of task; it is the name of its script. With `wrapper` in the configuration the original's bin/wrapper.sh
// does some kinds in place of our script; it refuses those that the original's server does not have.
interface Kind {
  /** Whether the original's wrapper does it, if configured; `always`: only the wrapper does it. */
  wrapped: boolean | 'always'
}

export const KINDS: Record<string, Kind> = {
  update: { wrapped: true },
  settings: { wrapped: true },
  storage: { wrapped: true },
  certs: { wrapped: true },
  license: { wrapped: true },
  backup: { wrapped: true },
  restore: { wrapped: true },
  logs: { wrapped: true },
  debug: { wrapped: true },
  reboot: { wrapped: true },
  // Without a wrapper the server sets the token itself.
  token: { wrapped: 'always' },
  persist: { wrapped: false },
  'pool-create': { wrapped: false },
  'pool-destroy': { wrapped: false },
  'pool-export': { wrapped: false },
  'pool-import': { wrapped: false },
  'pool-scrub': { wrapped: false },
  'disk-wipe': { wrapped: false },
  'pool-replace': { wrapped: false },
  'pool-attach': { wrapped: false },
  'pool-detach': { wrapped: false },
  'pool-online': { wrapped: false },
  'pool-offline': { wrapped: false },
  'pool-add': { wrapped: false },
  'pool-remove': { wrapped: false },
  'pool-clear': { wrapped: false },
  'pool-trim': { wrapped: false },
  'pool-upgrade': { wrapped: false },
  'pool-set': { wrapped: false },
  'dataset-destroy': { wrapped: false },
  'dataset-permissions': { wrapped: false },
  'snapshot-create': { wrapped: false },
  'snapshot-prune': { wrapped: false },
  'snapshot-rollback': { wrapped: false },
}
