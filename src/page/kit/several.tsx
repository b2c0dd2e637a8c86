// One change of several objects, after they were shown by name: each has its result, and a failure of one does not
// stop the others.
import { useRef } from 'hono/jsx/dom'
import { Failure } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import { useAction } from '../query.ts'
import { Button } from './button.tsx'
import { Dialog, TypeToConfirm } from './dialog.tsx'
import { Form } from './form.tsx'
import { plural } from './format.ts'
import { type Children, Note, Progress } from './layout.tsx'

export interface Item {
  id: string
  name: string
}

/** Tells the result of one object: `error` undefined is success. */
export type Tell = (id: string, error?: string) => void

interface Props {
  title: string
  submit: string
  /** What was done to an object, such as `deleted`. */
  done: string
  of: Item[]
  /** Changes one; or, with `work`, all of them. */
  each?: (item: Item) => Promise<unknown>
  work?: (items: Item[], tell: Tell, stopped: () => boolean) => Promise<void>
  /** Their number has to be typed: for what cannot be made again. */
  typed?: boolean
  kind?: 'main' | 'danger'
  children?: Children
  onClose: () => void
  /** All of them succeeded. */
  onDone: () => unknown
}

/** Names in the dialog; nobody reads a list of thousands. */
const MOST = 500

export function Several({
  title,
  submit,
  done,
  of,
  each,
  work,
  typed,
  kind = 'danger',
  children,
  onClose,
  onDone,
}: Props) {
  // The list behind the dialog is loaded again while it is open.
  const [items] = useState(of)
  const [results, setResults] = useState<ReadonlyMap<string, string | undefined>>(new Map())
  const [ended, setEnded] = useState(false)
  const [number, setNumber] = useState('')
  const stop = useRef(false)
  const said = useRef<HTMLDivElement>(null)
  const tell: Tell = (id, error) => setResults((before) => new Map(before).set(id, error))
  const action = useAction(async () => {
    const stopped = () => stop.current === true
    await (work ?? oneByOne(each ?? (async () => undefined)))(items, tell, stopped)
    setEnded(true)
  })
  const failed = items.filter(({ id }) => results.get(id) !== undefined)
  const succeeded = results.size - failed.length
  useEffect(() => {
    if (ended && succeeded === items.length) void onDone()
    // The button that had the focus is gone.
    else if (ended) said.current?.focus()
  }, [ended])
  useEffect(
    () => () => {
      stop.current = true
    },
    [],
  )
  const count = String(items.length)
  return (
    <Dialog title={title} onClose={onClose}>
      {ended ? (
        <>
          <div ref={said} tabindex={-1} role="status">
            <Note tone={failed.length > 0 ? 'warning' : 'ok'} title={`${succeeded} of ${items.length} ${done}`}>
              {results.size < items.length ? <span>{items.length - results.size} were left as they are.</span> : null}
            </Note>
          </div>
          <Failures of={failed} results={results} />
          <div class="actions">
            <Button onClick={onClose}>Close</Button>
          </div>
        </>
      ) : (
        <>
          <Form action={action} submit={submit} kind={kind} {...(action.busy ? {} : { cancel: onClose })}>
            {children}
            <pre class="block" tabindex={0}>
              {items
                .slice(0, MOST)
                .map(({ name }) => name)
                .join('\n')}
              {items.length > MOST ? `\nand ${items.length - MOST} more` : ''}
            </pre>
            {typed && items.length > 1 ? <TypeToConfirm name={count} typed={number} onTyped={setNumber} /> : null}
            {action.busy ? (
              <div role="status">
                <p class="muted">
                  {results.size} of {items.length}
                  {failed.length > 0 ? `, ${plural(failed.length, 'failure')}` : ''}
                </p>
                <Progress value={(100 * results.size) / items.length} label={submit} />
              </div>
            ) : null}
          </Form>
          {action.busy ? (
            <div class="actions">
              <Button
                onClick={() => {
                  stop.current = true
                }}
              >
                Stop after this one
              </Button>
            </div>
          ) : null}
        </>
      )}
    </Dialog>
  )
}

const Failures = ({ of, results }: { of: Item[]; results: ReadonlyMap<string, string | undefined> }) =>
  of.length === 0 ? null : (
    <ul class="failures">
      {of.slice(0, MOST).map(({ id, name }) => (
        <li key={id}>
          {name}: {results.get(id)}
        </li>
      ))}
    </ul>
  )

/** The appliance limits the requests of a minute: then the next one waits as long as it says. */
export async function patient<T>(act: () => Promise<T>, stopped: () => boolean): Promise<T> {
  for (;;) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof Failure) || error.status !== 429 || error.retryAfter === undefined || stopped())
        throw error
      const { retryAfter } = error
      await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000))
    }
  }
}

export const wordsOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const oneByOne =
  (each: (item: Item) => Promise<unknown>): NonNullable<Props['work']> =>
  async (items, tell, stopped) => {
    for (const item of items) {
      if (stopped()) return
      try {
        await patient(() => each(item), stopped)
        tell(item.id)
      } catch (error) {
        tell(item.id, wordsOf(error))
      }
    }
  }
