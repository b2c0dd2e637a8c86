// The short way of a small read: where its path has no parameters and one surface, neither Hono nor node-server has a
// part in the answer: their Context, Request, Response and promises would cost time and garbage for each. The steps of a
// request are the same on both ways.
import type { ServerResponse } from 'node:http'
import { send } from '../reply/answer.ts'
import type { Asked, Incoming } from '../request.ts'
import type { LaterEndpoints } from './later.ts'
import { answerRoute, isServed, type Routes } from './mount.ts'
import { normalize, type Target } from './path.ts'

/** What is left to send: nothing, or a response for node-server. */
type Rest = Response | undefined

/** Answers a request; false if Hono has to. */
export type AnswerDirectly = (incoming: Incoming, outgoing: ServerResponse) => Rest | Promise<Rest> | false

/** Host names that need no check by node-server, which refuses some of the others. */
const HOST = /^[a-z0-9._-]+(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?$/

/** `routes`: those in force. `failed` answers what Hono gives to `onError`. */
export function answerDirectly(
  routes: () => Routes,
  later: LaterEndpoints,
  failed: (error: unknown, c: Asked) => Response,
): AnswerDirectly {
  return (incoming, outgoing) => {
    const { url = '', headers } = incoming
    if (incoming.method !== 'GET' || url[0] !== '/' || !HOST.test(headers.host ?? '')) return false
    const target = normalize(url)
    const match = target && routes().exactly(target.route)
    // The path may also belong to endpoints that are not loaded yet.
    if (!match || later.mayTake(target.route)) return false
    const asked = new Direct(incoming, outgoing, target)
    if (!isServed(asked, match.value)) return false
    try {
      const answer = answerRoute(asked, match)
      if (!(answer instanceof Promise)) return send(answer, outgoing)
      return answer.then((one) => send(one, outgoing)).catch((error) => failed(error, asked))
    } catch (error) {
      return failed(error, asked)
    }
  }
}

class Direct implements Asked {
  readonly env: { incoming: Incoming; outgoing: ServerResponse; target: Target }
  readonly method = 'GET'
  readonly path: string
  private leaving: AbortController | undefined

  constructor(incoming: Incoming, outgoing: ServerResponse, target: Target) {
    this.env = { incoming, outgoing, target }
    this.path = target.route
  }

  get req(): Asked['req'] {
    return this
  }

  get raw(): Asked['req']['raw'] {
    return this
  }

  get url(): string {
    return this.env.incoming.url ?? ''
  }

  header(name: string): string | undefined {
    return this.env.incoming.headers[name]?.toString()
  }

  /** Aborted when the peer leaves before it has its answer. */
  get signal(): AbortSignal {
    this.leaving ??= whenLeft(this.env.outgoing)
    return this.leaving.signal
  }
}

function whenLeft(outgoing: ServerResponse): AbortController {
  const leaving = new AbortController()
  const look = () => {
    if (!outgoing.writableFinished) leaving.abort()
  }
  if (outgoing.destroyed) look()
  else outgoing.once('close', look)
  return leaving
}
