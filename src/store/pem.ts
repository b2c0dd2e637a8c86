// Reads PEM as editors, mail programs and `cat` leave it: text around the blocks, spaces at line ends, CRLF, and END
// and BEGIN on one line.
export interface PemBlock {
  /** `CERTIFICATE` */
  label: string
  /** The block by itself, in normal form. */
  text: string
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+?)-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/g

/** Every complete block, in order. */
export const pemBlocks = (text: string): PemBlock[] =>
  [...text.matchAll(BLOCK)].map(([, label = '', body = '']) => ({
    label,
    text: `-----BEGIN ${label}-----\n${plainBody(body)}\n-----END ${label}-----\n`,
  }))

/** Lines of 64 characters; the headers of an encrypted key in the old format stay separate lines. */
function plainBody(body: string): string {
  const lines = body.split(/\r\n?|\n/).map((line) => line.trim())
  if (lines.some((line) => line.includes(':'))) return lines.join('\n').trim()
  return (
    lines
      .join('')
      .replaceAll(/\s/g, '')
      .match(/.{1,64}/g) ?? []
  ).join('\n')
}

export const certificatesOf = (text: string): string[] =>
  pemBlocks(text)
    .filter(({ label }) => label === 'CERTIFICATE' || label === 'X509 CERTIFICATE')
    .map((block) => block.text)

export const privateKeysOf = (text: string): string[] =>
  pemBlocks(text)
    .filter(({ label }) => label.endsWith('PRIVATE KEY'))
    .map((block) => block.text)
