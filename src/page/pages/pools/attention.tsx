// What a pool needs: which disk failed and where it is, what ZFS advises, and which spare stands for which disk.
import { Button } from '../../kit/button.tsx'
import { Note, Progress } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import type { Asked } from './disk-actions.tsx'
import { type Disk, diskOf, placeOf } from './found-disk.ts'
import { isDamaged, type PoolDetails, type SpareInUse, toneOf, type Vdev } from './types.ts'

/** Every device without others below it. */
export const leavesOf = (vdevs: readonly Vdev[]): Vdev[] =>
  vdevs.flatMap((vdev) => (vdev.children ? leavesOf(vdev.children) : [vdev]))

export function Attention({ pool, ask }: { pool: PoolDetails; ask: (asked: Asked) => void }) {
  const { name, health, problem, action, errors, vdevs, spares_in_use: spares } = pool
  const damaged = isDamaged(pool)
  const failed = leavesOf(vdevs).filter(({ state, class: use }) => use !== 'spare' && state !== 'ONLINE')
  return (
    <>
      {problem || damaged ? (
        <Note
          tone={damaged ? 'error' : toneOf(health)}
          title={`The pool is ${health}${damaged ? ', and data in it is damaged' : ''}`}
        >
          <span>{problem ?? errors}</span>
          {action ? <p>{action}</p> : null}
        </Note>
      ) : null}
      {failed.length > 0 ? <Failed pool={name} failed={failed} ask={ask} /> : null}
      {spares.map((spare) => (
        <InUse key={spare.spare} spare={spare} vdevs={vdevs} ask={ask} />
      ))}
      <Working pool={pool} />
    </>
  )
}

const named = (vdevs: readonly Vdev[], name: string, guid: string | undefined): Vdev =>
  leavesOf(vdevs).find((vdev) => vdev.guid === guid && vdev.name === name) as Vdev

function InUse({
  spare: { spare, replaces, spare_guid, replaces_guid, state, group },
  vdevs,
  ask,
}: {
  spare: SpareInUse
  vdevs: readonly Vdev[]
  ask: (asked: Asked) => void
}) {
  const works = state === 'ONLINE'
  const detach = (name: string, guid: string | undefined, as: Asked['as']) =>
    ask({ verb: 'detach', vdev: named(vdevs, name, guid), as })
  const giveBack = () =>
    detach(spare, spare_guid, {
      title: `Return spare ${spare}`,
      words: `${spare} is a hot spare again. ${works ? `${replaces} works and is used alone in its place.` : `${replaces} is ${state}: without the spare the pool has less redundancy, until the disk works again or is replaced.`}`,
    })
  const keep = () =>
    detach(replaces, replaces_guid, {
      title: `Keep ${spare} and detach ${replaces}`,
      words: `${replaces} leaves the pool, and ${spare} takes its place for good: the pool has one hot spare less.`,
    })
  return (
    <Note tone="warning" title={`The spare ${spare} stands for ${replaces}`}>
      <p>
        {replaces} is {state} and is replaced by the spare in {group ?? 'the pool'}.{' '}
        {works
          ? `${replaces} works again: return the spare, so that it can stand for the next disk that fails.`
          : `Replace ${replaces} by a new disk, and the spare returns by itself when the resilver has ended. If ${replaces} works again, return the spare yourself; or keep ${spare} in its place for good.`}
      </p>
      {may('operator') ? (
        <div class="actions">
          <Button onClick={giveBack}>Return spare {spare}…</Button>
          <Button onClick={keep}>
            Keep {spare} and detach {replaces}…
          </Button>
        </div>
      ) : null}
    </Note>
  )
}

/** What to do about a disk in each state. */
const ADVICE: Readonly<Record<string, string>> = {
  REMOVED:
    'It was pulled out, or its cable or slot does not work. Plug it in again and bring it online, or put a new disk in and replace it.',
  UNAVAIL:
    'It cannot be opened: it is missing, or does not hold the data of the pool any more. Plug it in again and bring it online, or replace it.',
  OFFLINE: 'Somebody took it offline. Bring it online, or replace it.',
  FAULTED: 'ZFS has stopped using it after too many errors. Replace it.',
  DEGRADED: 'ZFS has found too many errors on it. Replace it, or clear the errors if their cause is gone.',
}

function Failed({ pool, failed, ask }: { pool: string; failed: Vdev[]; ask: (asked: Asked) => void }) {
  const query = useQuery<Disk[]>('/api/v1/disks', { every: 30 })
  return (
    <Note tone="error" title={failed.length === 1 ? 'One disk does not work' : `${failed.length} disks do not work`}>
      <ul>
        {failed.map((vdev) => {
          const { name, state, guid, path } = vdev
          const disk = query.data && diskOf(query.data, pool, vdev)
          return (
            <li key={guid ?? name}>
              {name} is {state}
              {disk ? placeOf(disk) : query.data ? ', and this machine does not see it' : ''}
              {path && path !== name ? ` (${path})` : ''}. {ADVICE[state] ?? ''}
              {may('operator') ? (
                <div class="actions">
                  {BACK.includes(state) ? (
                    <Button label={`Bring online the failed ${name}`} onClick={() => ask({ verb: 'online', vdev })}>
                      Bring online…
                    </Button>
                  ) : null}
                  <Button label={`Replace the failed ${name}`} onClick={() => ask({ verb: 'replace', vdev })}>
                    Replace…
                  </Button>
                </div>
              ) : null}
            </li>
          )
        })}
      </ul>
    </Note>
  )
}

/** The states from which `zpool online` may bring a disk back. */
const BACK: readonly string[] = ['REMOVED', 'UNAVAIL', 'OFFLINE']

/** Work that goes on in ZFS. */
function Working({ pool: { scan, removal, expansion } }: { pool: PoolDetails }) {
  const works = [
    ...(scan?.kind === 'resilver' ? [{ ...scan, title: 'A disk is being rebuilt (resilver)', label: 'Resilver' }] : []),
    ...(removal ? [{ ...removal, title: 'A vdev is being removed', label: 'Removal' }] : []),
    ...(expansion ? [{ ...expansion, title: 'A RAID-Z is being expanded', label: 'Expansion' }] : []),
  ].filter(({ status }) => status === 'running' || status === 'waiting')
  return (
    <>
      {works.map(({ title, label, progress, remaining }) => (
        <Note key={label} tone="busy" title={title}>
          <Progress value={progress} label={label} />
          {remaining === undefined ? null : <span>About {span(remaining)} to go.</span>}
        </Note>
      ))}
    </>
  )
}

const span = (seconds: number) =>
  seconds < 90
    ? `${seconds} seconds`
    : seconds < 5400
      ? `${Math.round(seconds / 60)} minutes`
      : `${Math.round(seconds / 3600)} hours`
