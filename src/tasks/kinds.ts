// Every kind of task: it is the name of its script. The trap: with `wrapper` in the configuration the original's bin/wrapper.sh does a task in
// place of our script, but it knows the kinds of the original's server only; any other one it would refuse.
interface Kind {
  /** Whether the original's wrapper does it, where there is one; `always`: only the wrapper does it. */
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
  'dataset-destroy': { wrapped: false },
  'snapshot-create': { wrapped: false },
  'snapshot-prune': { wrapped: false },
  'snapshot-rollback': { wrapped: false },
}
