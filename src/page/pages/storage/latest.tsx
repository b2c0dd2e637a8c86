// A dialog that edits an existing object: filled from its current version, and saved with If-Match.
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import type { Children } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'

/** `path` undefined: a new object. */
export function EditDialog<T>({
  title,
  path,
  onClose,
  children,
}: {
  title: string
  path: string | undefined
  onClose: () => void
  children: (before: T | undefined, etag: string | undefined) => Children
}) {
  const query = useQuery<T>(path ?? null)
  return (
    <Dialog title={title} onClose={onClose}>
      {path === undefined ? (
        children(undefined, undefined)
      ) : (
        <Loaded query={query}>{(data) => children(data, query.etag)}</Loaded>
      )}
    </Dialog>
  )
}
