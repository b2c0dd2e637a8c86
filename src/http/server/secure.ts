// What only a TLS port needs, gathered so that one import loads it: a start without TLS loads none of it.
export { createServer as createTlsServer } from 'node:https'
export { installedPair } from './served-pair.ts'
export { fingerprint, readPair, servedFingerprint } from './tls.ts'
export { contextOptions, spokenBy, tryChoice } from './tls-context.ts'
