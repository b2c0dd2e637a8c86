// Node opens a debugger on SIGUSR1, the signal by which other daemons rotate their logs: whoever may connect to it runs code as the server, past
// every check and the audit log. Imported before everything else: a listener takes the signal from Node, and what it opened before is closed.

const wanted = process.execArgv.some((argument) => argument.startsWith('--inspect'))
if (!wanted) {
  process.on('SIGUSR1', () => {})
  // No file imports the inspector: it is asked for here to be closed.
  const inspector = process.getBuiltinModule?.('node:inspector')
  const shut = () => {
    if (inspector?.url() !== undefined) inspector.close()
  }
  shut()
  // A signal that arrived while Node started is acted upon a moment later.
  for (const milliseconds of [0, 100, 1000]) setTimeout(shut, milliseconds).unref()
}
