// The curl command that does the same as the page. It contains values that people type, so each is quoted for the
// shell.
import { CopyButton } from './copy.tsx'

export interface CurlProps {
  method?: string
  path: string
  json?: unknown
  /** Form fields; a value that begins with @ is a file. */
  form?: Record<string, string>
  headers?: Record<string, string>
  output?: string
  /** The shell variable that holds the credential, if it is not the usual one; empty: none is needed. */
  secret?: string
}

const quoted = (text: string) => (/^[A-Za-z0-9@%_+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

export function curlLine(line: CurlProps): string {
  const { method = 'GET', path, json, form, headers = {}, output } = line
  const admin = path.startsWith('/api/v1/admin')
  const { secret = admin ? 'TOKEN' : 'JWT' } = line
  const parts = ['curl --cacert appliance.crt']
  if (method !== 'GET' && !(method === 'POST' && (form || json !== undefined))) parts.push(`-X ${method}`)
  if (!admin && secret) parts.push(`-H "Authorization: Bearer $${secret}"`)
  for (const [name, value] of Object.entries(headers)) parts.push(`-H ${quoted(`${name}: ${value}`)}`)
  for (const [name, value] of Object.entries(form ?? {})) parts.push(`-F ${quoted(`${name}=${value}`)}`)
  if (json !== undefined) parts.push(`-H 'Content-Type: application/json' -d ${quoted(JSON.stringify(json))}`)
  if (output) parts.push(`-o ${quoted(output)}`)
  const query = admin && secret ? `${path.includes('?') ? '&' : '?'}token=$${secret}` : ''
  parts.push(`"${location.origin}${path.replace(/["$`\\]/g, (c) => `\\${c}`)}${query}"`)
  return parts.join(' ')
}

/** One command for each step of the page. */
export function Curl({ lines }: { lines: CurlProps[] }) {
  const text = lines.map(curlLine).join('\n')
  return (
    <details class="curl">
      <summary>The same with curl</summary>
      <pre tabindex={0}>{text}</pre>
      <CopyButton text={text} />
    </details>
  )
}
