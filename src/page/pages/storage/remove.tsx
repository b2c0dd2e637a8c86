// Deletes what can be created again: one confirmation, no name to type.
import { call } from '../../api.ts'
import { Confirm } from '../../kit/dialog.tsx'
import type { Children } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'

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
