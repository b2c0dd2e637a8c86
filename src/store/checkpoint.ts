// Named, persisted steps, where the tests inject faults: `EDGE_FAULT=NAME=kill|error|hang`, as in the scripts (scripts/README.md).

export function checkpoint(name: string): void {
  const fault = process.env['EDGE_FAULT']
  if (fault === undefined || !fault.startsWith(`${name}=`)) return
  if (fault.endsWith('=kill')) process.kill(process.pid, 'SIGKILL')
  if (fault.endsWith('=error')) throw new Error(`fault at ${name}`)
  if (fault.endsWith('=hang')) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
}
