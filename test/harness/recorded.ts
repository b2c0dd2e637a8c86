// What real programs answered, from test/fixtures/PROGRAM-VERSION/NAME.txt (made by test/appliance/record/). A fixture
// is never edited by hand; a fake that differs from it is wrong.
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export interface Recorded {
  /** As a shell would take it. */
  command: string
  status: number
  stdin: string
  stdout: string
  stderr: string
}

export const FIXTURES = join(dirname(fileURLToPath(import.meta.url)), '../fixtures')

/** `recorded('zpool-2.3.9/status-json-healthy')` */
export function recorded(name: string): Recorded {
  const text = readFileSync(join(FIXTURES, `${name}.txt`), 'utf8')
  const parts = /^\$ (.*)\nexit (\d+)\n(?:--- stdin\n(.*?))?--- stdout\n(.*?)--- stderr\n(.*)$/s.exec(text)
  if (!parts) throw new Error(`not a recording: ${name}`)
  const [, command = '', status, stdin = '', stdout = '', stderr = ''] = parts
  return { command, status: Number(status), stdin, stdout, stderr }
}
