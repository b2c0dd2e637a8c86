// `make audit`: asks the registry for known faults in what is shipped. Many registries do not answer that question, and
// npm ends with the same status then as when it has found something; so the answer is read, and a skipped audit says
// why.
import { spawnSync } from 'node:child_process'

interface Report {
  statusCode?: number
  error?: { code?: string }
  vulnerabilities?: Record<string, { severity: string; range: string; via: (string | { title?: string })[] }>
}

const { stdout, error } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: 120_000 })
if (error) throw error
const { statusCode, error: fault, vulnerabilities }: Report = JSON.parse(stdout || '{}')
if (!vulnerabilities) {
  // No more of what npm says: it names the registry.
  process.stdout.write(`audit skipped: the registry does not answer it (${statusCode ?? fault?.code ?? 'no answer'})\n`)
} else {
  const found = Object.entries(vulnerabilities)
  for (const [name, { severity, range, via }] of found) {
    const titles = via.map((one) => (typeof one === 'string' ? one : one.title)).join('; ')
    process.stdout.write(`${severity}: ${name} ${range}: ${titles}\n`)
  }
  process.stdout.write(`${found.length} known faults in what is shipped\n`)
  process.exitCode = found.length > 0 ? 1 : 0
}
