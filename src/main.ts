// The process: hands its arguments to a command and ends with that command's status. With the file that it imports first, the only one with effects at import.
import './cli/no-debugger.ts'
import { fstatSync } from 'node:fs'
import { run } from './cli/cli.ts'

// Whoever reads our output may stop reading (`| head`): that is no fault of ours.
process.stdout.on('error', () => process.exit())

process.exitCode = await run(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  // Opened only by a command that reads it.
  get stdin() {
    // Node would read nothing from it, and say nothing.
    if (fstatSync(0).isDirectory()) throw new Error('standard input is a folder')
    return process.stdin
  },
})
// A server that stopped may still have a connection open that nobody reads; a check may wait for a disk that does not answer.
if (['serve', 'check'].includes(process.argv[2] ?? '')) process.exit()
