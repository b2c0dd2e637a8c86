// Changes of a vdev: attach a disk (make a mirror, widen a mirror, expand a RAID-Z), and remove the vdev. Both show the
// appliance's plan first.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Form } from '../../kit/form.tsx'
import { Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { one } from '../storage/api-types.ts'
import type { Asked } from './disk-actions.tsx'
import { FreeDiskField } from './free-disk-field.tsx'
import { needsOf } from './groups.ts'
import { PlanForm } from './plan.tsx'
import type { Vdev } from './types.ts'

const isWide = ({ type }: Vdev) => /^(?:raidz|draid)/.test(type)

/** What attaching a disk to a vdev is called; undefined where ZFS has no such thing. */
export function attachTitle({ type, class: use, children }: Vdev): string | undefined {
  if (use === 'cache' || use === 'spare') return undefined
  if (/^raidz/.test(type)) return 'Expand'
  if (type === 'mirror') return 'Widen mirror'
  return children ? undefined : 'Make mirror'
}

/**
 * Whether ZFS may remove a vdev: spares, caches and logs always; what holds data only where no RAID-Z is in the pool and
 * another vdev takes the data.
 */
export function isRemovable(vdev: Vdev, all: readonly Vdev[]): boolean {
  if (vdev.class === 'spare') return vdev.state === 'AVAIL' || vdev.state === 'UNAVAIL'
  if (vdev.class === 'cache' || vdev.class === 'log') return true
  const holding = all.filter(({ class: use }) => ['data', 'special', 'dedup'].includes(use))
  if (holding.some(isWide)) return false
  return vdev.class !== 'data' || holding.filter(({ class: use }) => use === 'data').length > 1
}

export function VdevButtons({ vdev, all, ask }: { vdev: Vdev; all: readonly Vdev[]; ask: (asked: Asked) => void }) {
  const attach = attachTitle(vdev)
  return (
    <div class="actions">
      {attach ? (
        <Button label={`${attach} ${vdev.name}`} onClick={() => ask({ verb: 'attach', vdev })}>
          {attach}…
        </Button>
      ) : null}
      {isRemovable(vdev, all) ? (
        <Button label={`Remove ${vdev.name}`} onClick={() => ask({ verb: 'remove', vdev })}>
          Remove…
        </Button>
      ) : null}
    </div>
  )
}

export const VdevDialog = ({ pool, asked, onClose }: { pool: string; asked: Asked; onClose: () => void }) =>
  asked.verb === 'attach' ? (
    <Attach pool={pool} vdev={asked.vdev} onClose={onClose} />
  ) : (
    <Dialog title={`Remove ${asked.vdev.name}`} onClose={onClose}>
      <PlanForm
        path={`${one('pools', pool)}/remove`}
        json={{ device: asked.vdev.guid ?? asked.vdev.name }}
        job="pool.remove"
        submit={`Remove ${asked.vdev.name}`}
        kind="danger"
        onClose={onClose}
        onDone={onClose}
      />
    </Dialog>
  )

/** A mirror is widened beside one of its disks, a RAID-Z as a group. */
const targetOf = (vdev: Vdev): Vdev => (vdev.type === 'mirror' ? (vdev.children?.[0] ?? vdev) : vdev)

function Attach({ pool, vdev, onClose }: { pool: string; vdev: Vdev; onClose: () => void }) {
  const [disk, setDisk] = useState('')
  const [chosen, setChosen] = useState('')
  const target = targetOf(vdev)
  const title = `${attachTitle(vdev) ?? 'Attach a disk'}: ${vdev.name}`
  const next = useAction(async () => setChosen(disk))
  return (
    <Dialog title={title} onClose={onClose}>
      {chosen === '' ? (
        <Form action={next} submit="Show the plan" cancel={onClose}>
          <p>
            {isWide(vdev)
              ? 'The RAID-Z gets wider by one disk (RAID-Z expansion). Its data is rewritten over all disks, which takes long; it needs OpenZFS 2.3.'
              : 'The disk becomes a further full copy: all data is copied to it (resilver).'}
          </p>
          <FreeDiskField needs={needsOf(vdev)} value={disk} onValue={setDisk} />
        </Form>
      ) : (
        <>
          <Note tone="warning">Everything on {chosen} is overwritten.</Note>
          <PlanForm
            path={`${one('pools', pool)}/attach`}
            json={{ device: target.guid ?? target.name, disk: chosen }}
            job="pool.attach"
            submit="Attach disk"
            onClose={onClose}
            onDone={onClose}
          />
        </>
      )}
    </Dialog>
  )
}
