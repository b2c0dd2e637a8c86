// What can be done with one disk of a pool: replace it by a free disk or a spare, take it offline or online, detach it, forget its
// errors.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form } from '../../kit/form.tsx'
import { one } from '../storage/api-types.ts'
import { JobView, UnderWay, useWork } from '../storage/work.tsx'
import { FreeDiskField } from './free-disk-field.tsx'
import { leftWithout } from './left-without.ts'
import type { PoolDetails, Vdev } from './types.ts'

export type Verb = 'replace' | 'offline' | 'online' | 'detach' | 'clear'
export interface Asked {
  verb: Verb | 'attach' | 'remove'
  vdev: Vdev
  /** What it means here, where that is more than the verb says. */
  as?: { title: string; words: string }
}

/** The buttons of a disk, by its state and the group that it is in. */
export function DiskButtons({
  vdev,
  group,
  ask,
}: {
  vdev: Vdev
  group: Vdev | undefined
  ask: (asked: Asked) => void
}) {
  if (vdev.children || vdev.class === 'spare') return null
  const button = (verb: Verb, text: string, as?: Asked['as']) => (
    <Button label={`${text} ${vdev.name}`} onClick={() => ask({ verb, vdev, ...(as && { as }) })}>
      {text}…
    </Button>
  )
  const errors = vdev.read_errors + vdev.write_errors + vdev.checksum_errors
  return (
    <div class="actions">
      {button('replace', 'Replace')}
      {vdev.state === 'ONLINE' ? button('offline', 'Take offline') : button('online', 'Bring online')}
      {group && /^(?:mirror|replacing|spare)$/.test(group.type)
        ? button('detach', 'Detach', detachment(vdev, group))
        : null}
      {errors > 0 || vdev.state === 'FAULTED' ? button('clear', 'Clear errors') : null}
    </div>
  )
}

const TITLES: Record<Verb, string> = {
  replace: 'Replace',
  offline: 'Take offline',
  online: 'Bring online',
  detach: 'Detach',
  clear: 'Clear errors of',
}
const WORDS: Record<Exclude<Verb, 'replace'>, string> = {
  offline: 'The pool works without this disk until it is brought online again. It is refused where data would be lost.',
  online: 'What was written meanwhile is copied to the disk.',
  detach: 'The disk leaves the pool. Its copy of the data cannot be used any more.',
  clear:
    'The counted errors are forgotten, and ZFS uses the disk again. Errors that come back mean that it has to be replaced.',
}

/** What is left of the mirror, where that is less than two working disks. */
function detachment(vdev: Vdev, group: Vdev): Asked['as'] {
  const left = leftWithout(vdev, group)
  return left === undefined ? undefined : { title: `${TITLES.detach} ${vdev.name}`, words: `${WORDS.detach} ${left}` }
}

export function DiskDialog({
  pool: { name: pool, vdevs },
  verb,
  vdev,
  as,
  onClose,
}: {
  pool: Pick<PoolDetails, 'name' | 'vdevs'>
  verb: Verb
  vdev: Vdev
  as?: Asked['as']
  onClose: () => void
}) {
  const [disk, setDisk] = useState('')
  const json = { device: vdev.guid ?? vdev.name, ...(verb === 'replace' && { disk }) }
  const work = useWork(() => request('POST', `${one('pools', pool)}/${verb}`, { json }), onClose)
  const title = as?.title ?? `${TITLES[verb]} ${vdev.name}`
  return (
    <Dialog title={title} onClose={onClose}>
      {work.job ? (
        <JobView job={work.job} ended={work.ended} close={onClose} />
      ) : (
        <Form
          action={work.action}
          submit={title}
          cancel={onClose}
          {...(verb === 'detach' && { kind: 'danger' as const })}
        >
          {verb === 'replace' ? (
            <FreeDiskField
              needs={vdev.needs ?? 0}
              spares={{ pool, vdevs: vdevs.filter(({ class: use, state }) => use === 'spare' && state === 'AVAIL') }}
              value={disk}
              onValue={setDisk}
            />
          ) : (
            <p>{as?.words ?? WORDS[verb]}</p>
          )}
          <UnderWay busy={work.action.busy} type={`pool.${verb}`} />
        </Form>
      )}
    </Dialog>
  )
}
