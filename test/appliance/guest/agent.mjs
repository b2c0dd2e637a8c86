// Runs commands for the rig, as root in the guest: POST a script, read lines of JSON, the last of which is its status. The trap: what a script
// leaves running in the background does not hold the answer back.
import { spawn } from 'node:child_process'
import { createServer } from 'node:http'

createServer((request, response) => {
  if (request.method !== 'POST') return response.end('ready\n')
  const shell = spawn('/bin/bash', ['-s'], { cwd: '/root', detached: true })
  const say = (line) => response.writable && response.write(`${JSON.stringify(line)}\n`)
  const end = () => {
    try {
      process.kill(-shell.pid, 'SIGKILL')
    } catch {}
  }
  request.pipe(shell.stdin).on('error', () => {})
  for (const name of ['stdout', 'stderr']) shell[name].setEncoding('utf8').on('data', (text) => say({ [name]: text }))
  shell.on('error', (error) => response.end(`${JSON.stringify({ stderr: String(error), status: 127 })}\n`))
  let left = true
  shell.on('exit', (status, signal) => {
    left = false
    // What it wrote last is still on its way.
    setTimeout(() => response.end(`${JSON.stringify({ status: status ?? 128, signal })}\n`), 30)
  })
  // The rig gave up: so does what it started.
  response.on('close', () => left && end())
}).listen(7000, '0.0.0.0')
