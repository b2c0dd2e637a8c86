// Vitest's last words: each skipped test with its reason, each failure on a line, then one line that counts. Continuous
// integration reads that line and keeps but a screen of what stood above it, so nothing may be printed after it, and a
// run in which no test passed is a failure.
import { relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node'

/** Characters of a failure that are printed again. */
const SHORT = 700

function failure(name: string, errors: readonly SerializedError[]): string {
  const [error] = errors
  const frame = error?.stacks?.find(({ file }) => !file.includes('node_modules'))
  const place = frame ? ` (${relative('', frame.file)}:${frame.line})` : ''
  const said = error ? `${error.message} ${error.diff ?? ''}` : 'it said nothing'
  const words = stripVTControlCharacters(said).replace(/\s+/g, ' ').trim()
  return `failed: ${name.replace(/\s+/g, ' ')}${place}: ${words.slice(0, SHORT)}\n`
}

/** A group of tests that is left out says why in its name. */
const reasonOf = ({ fullName }: TestCase, note: string | undefined) =>
  note === undefined && /\(.*skipped.*\)/.test(fullName) ? '' : `: ${note ?? 'no reason given'}`

// biome-ignore lint/style/noDefaultExport: vitest takes a reporter from its file's default export
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const count = { passed: 0, skipped: 0 }
    const failures = errors.map((error) => failure('outside of the tests', [error]))
    for (const module of modules) {
      const file = module.relativeModuleId
      // A file that does not load has no tests, and is a failure all the same.
      failures.push(...module.errors().map((error) => failure(file, [error])))
      for (const suite of module.children.allSuites())
        failures.push(...suite.errors().map((error) => failure(`${file} > ${suite.fullName}`, [error])))
      for (const test of module.children.allTests()) {
        const result = test.result()
        const name = `${file} > ${test.fullName}`
        if (result.state === 'failed') failures.push(failure(name, result.errors))
        else if (result.state === 'pending') failures.push(`failed: ${name}: never started, the run was cut short\n`)
        else count[result.state]++
        if (result.state === 'skipped')
          process.stdout.write(`skipped: ${test.fullName}${reasonOf(test, result.note)}\n`)
      }
    }
    if (count.passed === 0 || failures.length > 0) process.exitCode = 1
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    process.stdout.write(failures.join(''))
    process.stdout.write(`${count.passed} passed, ${failures.length} failed${skipped}\n`)
  }
}
