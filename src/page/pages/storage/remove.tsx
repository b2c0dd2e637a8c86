// Deletes what can be created again, one or several: one confirmation, no name to type.
import { call } from '../../api.ts'
import { Button } from '../../kit/button.tsx'
import { Confirm } from '../../kit/dialog.tsx'
import { plural } from '../../kit/format.ts'
import type { Children } from '../../kit/layout.tsx'
import { type Item, Several } from '../../kit/several.tsx'
import { useAction } from '../../query.ts'
import { one } from './api-types.ts'

export function Remove({
  title,
  submit,
  path,
  children,
  onClose,
  onDone,
}: {
  title: string
  submit: string
  path: string
  children?: Children
  onClose: () => void
  onDone: () => unknown
}) {
  const action = useAction(async () => {
    await call('DELETE', path)
    await onDone()
  })
  return (
    <Confirm title={title} submit={submit} action={action} onClose={onClose}>
      {children}
    </Confirm>
  )
}

/** For the selected rows that Edge Admin manages. */
export const DeleteButton = <T,>({ of, onOpen }: { of: T[]; onOpen: (of: T[]) => void }) => (
  <Button kind="danger" why={of.length === 0 ? 'Created outside Edge Admin' : undefined} onClick={() => onOpen(of)}>
    Delete {of.length}…
  </Button>
)

/** `what` and `many`: one of them and several of them, such as `share` and `shares`. */
export const RemoveSeveral = ({
  collection,
  what,
  many = `${what}s`,
  of,
  children,
  onClose,
  onDone,
}: {
  collection: string
  what: string
  many?: string
  of: Item[]
  children?: Children
  onClose: () => void
  onDone: () => unknown
}) => (
  <Several
    title={`Delete ${plural(of.length, what, many)}`}
    submit={`Delete ${plural(of.length, what, many)}`}
    done="deleted"
    of={of}
    each={({ id }) => call('DELETE', one(collection, id))}
    onClose={onClose}
    onDone={onDone}
  >
    {children}
  </Several>
)
