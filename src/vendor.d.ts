// Parts of packages that ship types only for their whole.
declare module 'systeminformation/lib/memory.js' {
  export { mem } from 'systeminformation'
}
declare module 'node-forge/lib/x509.js'
declare module 'node-forge/lib/forge.js' {
  const part: unknown
  // biome-ignore lint/style/noDefaultExport: what CommonJS looks like from here
  export default part
}
