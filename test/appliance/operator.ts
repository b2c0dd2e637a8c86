// A storage operator of the packaged product in a guest: installed, set up by the API alone, and calls that have to succeed.
import { expect } from 'vitest'
import { until } from '../api/client.ts'
import { ask as askServer, type JsonAnswer, logIn } from '../api/controller.ts'
import type { Guest } from './guest.ts'
import { install } from './product.ts'

export const STATE = '/var/lib/edge-admin'
const CONFIGURATION = {
  listen: { host: '0.0.0.0', port: 8443 },
  // A slow guest still gets the answer of the change, not of the job.
  surfaces: { controller: { enabled: true, 'requests-per-minute': 0, 'apply-seconds': 300 } },
}
const PASSWORD = 'a-word-of-the-rig-1'

export class Operator {
  private readonly guest: Guest
  private bearer = ''

  private constructor(guest: Guest) {
    this.guest = guest
  }

  static async install(guest: Guest): Promise<Operator> {
    await install(guest, CONFIGURATION)
    const operator = new Operator(guest)
    const once = (await guest.run(`cat ${STATE}/admin.password`)).trim()
    operator.bearer = (await logIn(guest.url, 'admin', once)).json.token
    operator.bearer = (await operator.done('PUT', '/auth/password', { current: once, password: PASSWORD })).token
    await operator.done('POST', '/users', { username: 'olga', password: PASSWORD, role: 'operator' })
    operator.bearer = (await logIn(guest.url, 'olga', PASSWORD)).json.token
    return operator
  }

  ask(method: string, path: string, json?: unknown): Promise<JsonAnswer> {
    const { bearer } = this
    return askServer(this.guest.url, method, `/api/v1${path}`, { bearer, ...(json !== undefined && { json }) })
  }

  /** The body of a call that has to succeed. */
  // biome-ignore lint/suspicious/noExplicitAny: tests say themselves what they expect in it
  async done(method: string, path: string, json?: unknown): Promise<any> {
    const answer = await this.ask(method, path, json)
    // A slow machine: the answer is the job then.
    if (answer.status === 202) {
      expect(await this.ended(answer.json.id)).toMatchObject({ status: 'completed' })
      return method === 'POST' ? { ...answer.json, job: answer.json.id } : undefined
    }
    expect([method, path, answer.status, answer.json]).toEqual([
      method,
      path,
      expect.toBeOneOf([200, 201]),
      answer.json,
    ])
    return answer.json
  }

  ended(id: string) {
    return until(
      `the job ${id} has ended`,
      async () => {
        const { json } = await this.ask('GET', `/jobs/${id}?wait=20`)
        return json.completed_at && json
      },
      180,
    )
  }
}
