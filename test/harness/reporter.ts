// Vitest's last words: each skipped test with its reason, then one line that counts. The trap: continuous integration reads that line, so
// nothing may be printed after it, and a run in which no test passed is a failure.
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node'

/** A group of tests that is left out says why in its name. */
const reasonOf = ({ fullName }: TestCase, note: string | undefined) =>
  note === undefined && /\(.*skipped.*\)/.test(fullName) ? '' : `: ${note ?? 'no reason given'}`

// biome-ignore lint/style/noDefaultExport: vitest takes a reporter from its file's default export
export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0 }
    for (const module of modules) {
      // A file that does not load has no tests, and is a failure all the same.
      count.failed += module.errors().length
      for (const suite of module.children.allSuites()) count.failed += suite.errors().length
      for (const test of module.children.allTests()) {
        const result = test.result()
        // Never started: the run was cut short.
        if (result.state === 'pending') count.failed++
        else count[result.state]++
        if (result.state === 'skipped')
          process.stdout.write(`skipped: ${test.fullName}${reasonOf(test, result.note)}\n`)
      }
    }
    if (count.passed === 0 || count.failed > 0) process.exitCode = 1
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : ''
    process.stdout.write(`${count.passed} passed, ${count.failed} failed${skipped}\n`)
  }
}
