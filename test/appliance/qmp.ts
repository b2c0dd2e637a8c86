// QEMU's own control socket: one command, one answer. Events come in between and are not the answer.
import { connect } from 'node:net'
import { createInterface } from 'node:readline'

interface Message {
  return?: unknown
  error?: { desc: string }
}

export async function qmp(socket: string, execute: string, args: Record<string, unknown> = {}): Promise<unknown> {
  const stream = connect(socket)
  const lines = createInterface({ input: stream })[Symbol.asyncIterator]()
  const answer = async (): Promise<unknown> => {
    for (;;) {
      const { value, done } = await lines.next()
      if (done) throw new Error(`QEMU ended during ${execute}`)
      const message = JSON.parse(value) as Message
      if (message.error) throw new Error(`${execute}: ${message.error.desc}`)
      if ('return' in message) return message.return
    }
  }
  try {
    await lines.next()
    stream.write('{"execute":"qmp_capabilities"}\n')
    await answer()
    stream.write(`${JSON.stringify({ execute, arguments: args })}\n`)
    return await answer()
  } finally {
    stream.destroy()
  }
}
