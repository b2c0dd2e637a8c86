// What a share in one go is refused for before anything is changed, in the words of its own request.
import type { Zfs } from '../../drivers/zfs.ts'
import { ApiError, failedPrecondition, invalid } from '../../errors.ts'
import { withZfsErrors } from '../zfs/failure.ts'
import type { NewShareInOne } from './rules.ts'

/** A share needs a filesystem that is mounted. */
export async function refuseUnmounted(
  zfs: Zfs,
  dataset: string,
  options: NewShareInOne['options'] = {},
): Promise<void> {
  const wrong = (field: string) =>
    invalid('Expected a filesystem that is mounted: it could not be shared', { details: { field } })
  if ((options['canmount'] ?? 'on') !== 'on') throw wrong('options.canmount')
  const { mountpoint } = options
  if (mountpoint !== undefined && !mountpoint.startsWith('/')) throw wrong('options.mountpoint')
  if (mountpoint !== undefined) return
  const above = await withZfsErrors(dataset, () => zfs.get(dataset.slice(0, dataset.lastIndexOf('/'))))
  if (above && !above.get('mountpoint')?.value.startsWith('/'))
    throw failedPrecondition('The dataset above has no mount point: name one in options', {
      details: { object: dataset, field: 'options.mountpoint' },
    })
}

/** The refusal of a member of the request, with the name that the member has there. */
export function inside(member: string, error: unknown): unknown {
  if (!(error instanceof ApiError) || error.details?.field === undefined) return error
  const details = { ...error.details, field: `${member}.${error.details.field}` }
  return new ApiError(error.kind, error.message, { details, cause: error })
}
