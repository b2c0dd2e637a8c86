// A change in two steps: the first shows the plan of the appliance (dry run), the second makes the change. A plan
// counts only for the request that it was asked for: after an edit in the form, a new one is needed.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'

export interface Planned<T> {
  /** The plan of the request as it is now. */
  plan: T | undefined
  load: () => Promise<void>
}

export function usePlanned<T>(method: string, path: string, json: unknown): Planned<T> {
  const [answer, setAnswer] = useState<{ to: string; plan: T }>()
  const now = JSON.stringify(json)
  return {
    plan: answer?.to === now ? answer.plan : undefined,
    load: async () => {
      const plan = await call<T>(method, `${path}?dry_run=true`, { json })
      setAnswer({ to: now, plan })
    },
  }
}
