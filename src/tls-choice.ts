// The TLS versions and ciphers that a port is asked to speak.

export interface TlsChoice {
  versions: readonly ('TLSv1.2' | 'TLSv1.3')[]
  /** Names as OpenSSL has them; undefined for its default. Names that it does not know are left out. */
  ciphers?: readonly string[]
}
