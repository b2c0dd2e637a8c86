// A reader of server-sent events, for tests. It keeps what it heard, and a test polls that with a deadline; nothing
// here waits.
import { type ClientRequest, type IncomingMessage, request } from 'node:http'

export interface Heard {
  name: string
  // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
  data: any
  id: string | undefined
}

export class Reader {
  readonly events: Heard[] = []
  /** The last of what came. */
  text = ''
  status: number | undefined
  lastId: string | undefined
  ended = false
  private rest = ''
  private response: IncomingMessage | undefined
  private readonly request: ClientRequest

  /** `proof`: a token, or the headers that stand for one. */
  constructor(
    url: string,
    proof: string | Record<string, string>,
    lastEventId?: string,
    { deaf = false, path = '/api/v1/jobs/events' } = {},
  ) {
    const headers = {
      ...(typeof proof === 'string' ? { authorization: `Bearer ${proof}` } : proof),
      ...(lastEventId !== undefined && { 'last-event-id': lastEventId }),
    }
    this.request = request(`${url}${path}`, { agent: false, headers }, (response) => this.listen(response, deaf))
    this.request.on('error', () => this.end())
    this.request.end()
  }

  /** The present data of each job that it heard of. */
  get jobs(): Record<string, Heard['data']> {
    return Object.fromEntries(this.events.filter(({ name }) => name === 'job').map(({ data }) => [data.id, data]))
  }

  /** Lets a deaf one hear what is left for it. */
  listenNow(): void {
    this.response?.on('data', (chunk: string) => this.take(chunk))
  }

  close(): void {
    this.request.destroy()
  }

  private end(): void {
    this.ended = true
  }

  private listen(response: IncomingMessage, deaf: boolean): void {
    this.response = response
    this.status = response.statusCode
    response.setEncoding('utf8')
    for (const name of ['end', 'close', 'error']) response.on(name, () => this.end())
    if (!deaf) response.on('data', (chunk: string) => this.take(chunk))
  }

  private take(chunk: string): void {
    this.text = (this.text + chunk).slice(-1000)
    const blocks = (this.rest + chunk).split('\n\n')
    this.rest = blocks.pop() ?? ''
    for (const block of blocks) {
      const fields = Object.fromEntries(block.split('\n').map((line) => line.split(/: ?(.*)/s, 2)))
      if (fields['id'] !== undefined) this.lastId = fields['id']
      if (fields['data'] !== undefined)
        this.events.push({ name: fields['event'], data: JSON.parse(fields['data']), id: fields['id'] })
    }
  }
}
