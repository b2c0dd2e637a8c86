// What only a port with TLS needs, in one place so that one import loads it: a start without TLS loads none of it.
export { createServer as createTlsServer } from 'node:https'
export { installedPair } from './served-pair.ts'
export { fingerprint, readPair, servedFingerprint } from './tls.ts'
