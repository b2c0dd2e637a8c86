// Deletes or creates several snapshots, with a result for each.
import { call, Failure } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Field } from '../../kit/fields.tsx'
import { plural } from '../../kit/format.ts'
import { type Item, patient, Several, type Tell, wordsOf } from '../../kit/several.tsx'
import type { Plan } from '../storage/api-types.ts'
import { type Props, proposed } from './change.tsx'

/** Names in one request: few enough that `Stop` is soon obeyed; one by one would meet the limit of requests. */
const PORTION = 50
const PATH = '/api/v1/snapshots/remove'

/** Deletes them by portions. What something depends on is left out of its portion, and the reason is its result. */
async function removeAll(items: Item[], tell: Tell, stopped: () => boolean): Promise<void> {
  for (let from = 0; from < items.length && !stopped(); from += PORTION) {
    const open = new Set(items.slice(from, from + PORTION).map(({ name }) => name))
    const close = (name: string, error?: string) => {
      if (open.delete(name)) tell(name, error)
    }
    while (open.size > 0) {
      const before = open.size
      try {
        await patient(() => removePortion([...open], close), stopped)
      } catch (error) {
        await settle(open, error, close, stopped)
        // It was not about one of them: the next request would fail like this one.
        if (open.size === before) for (const name of open) close(name, wordsOf(error))
      }
    }
  }
}

async function removePortion(names: string[], tell: Tell): Promise<void> {
  const planOf = (of: string[]) => call<Plan>('POST', `${PATH}?dry_run=true`, { json: { names: of } })
  const first = await planOf(names)
  for (const { object, reason } of first.depends) tell(...keptBy(object, reason))
  const kept = new Set(first.depends.map(({ object, reason }) => keptBy(object, reason)[0]))
  const free = names.filter((name) => !kept.has(name))
  if (free.length === 0) return
  const { confirm } = kept.size === 0 ? first : await planOf(free)
  await call('POST', `${PATH}?confirm=${encodeURIComponent(confirm)}`, { json: { names: free } })
  for (const name of free) tell(name)
}

/** A hold is on the snapshot itself; a clone has another name, and its snapshot is in the reason. */
function keptBy(object: string, reason: string): [name: string, reason: string] {
  const origin = /^is a clone of (.+)$/.exec(reason)?.[1]
  return origin === undefined ? [object, reason] : [origin, `${object} is a clone of it`]
}

/** After a failure: what is gone is done, and the snapshot that the appliance names is the one that failed. */
async function settle(open: ReadonlySet<string>, error: unknown, tell: Tell, stopped: () => boolean): Promise<void> {
  const list = await patient(() => call<{ name: string }[]>('GET', '/api/v1/snapshots'), stopped)
  const there = new Set(list.map(({ name }) => name))
  for (const name of [...open]) if (!there.has(name)) tell(name)
  const { field, object } = error instanceof Failure ? error.details : {}
  tell(String(object ?? field), wordsOf(error))
}

/** Their number has to be typed, so that nobody deletes a page of them by accident. */
export const RemoveSnapshots = ({ names, onClose, onDone }: Props & { names: string[] }) => (
  <Several
    title={`Delete ${plural(names.length, 'snapshot')}`}
    submit={`Delete ${plural(names.length, 'snapshot')}`}
    done="deleted"
    of={names.map((name) => ({ id: name, name }))}
    work={removeAll}
    typed
    onClose={onClose}
    onDone={onDone}
  >
    <p>The datasets are not changed. Data that only these snapshots hold is lost:</p>
  </Several>
)

/** One snapshot of each dataset, under the same name. */
export function TakeSnapshots({ of, onClose }: { of: string[]; onClose: () => void }) {
  const [name, setName] = useState(proposed)
  return (
    <Several
      title={`Create ${plural(of.length, 'snapshot')}`}
      submit={`Create ${plural(of.length, 'snapshot')}`}
      kind="main"
      done="created"
      of={of.map((dataset) => ({ id: dataset, name: dataset }))}
      each={({ id }) => call('POST', '/api/v1/snapshots', { json: { dataset: id, name } })}
      onClose={onClose}
      onDone={onClose}
    >
      <Field label="Name" name="name" value={name} onValue={setName} required />
      <p>A snapshot of each of these, one after the other:</p>
    </Several>
  )
}
