// Closes Node's debugger. Node opens it on SIGUSR1, which other daemons use to rotate their logs, and anyone who can
// connect to it runs code as the server, bypassing every check and the audit log. Imported first: a listener takes the
// signal over from Node, and a debugger that is already open is closed.

const wanted = process.execArgv.some((argument) => argument.startsWith('--inspect'))
if (!wanted) {
  process.on('SIGUSR1', () => {})
  // Not imported statically: it is loaded here only to be closed.
  const inspector = process.getBuiltinModule?.('node:inspector')
  const shut = () => {
    if (inspector?.url() !== undefined) inspector.close()
  }
  shut()
  // A signal that arrived while Node started takes effect a moment later.
  for (const milliseconds of [0, 100, 1000]) setTimeout(shut, milliseconds).unref()
}
