// What a pool needs: which disk failed and where it is, what ZFS advises, and which spare stands for which disk.
import { Button } from '../../kit/button.tsx'
import { Note, Progress } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import type { Asked } from './disk-actions.tsx'
import { type Disk, diskOf, placeOf } from './found-disk.ts'
import { isDamaged, type PoolDetails, toneOf, type Vdev } from './types.ts'

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
      {spares.map(({ spare, replaces, spare_guid, replaces_guid, group }) => (
        <Note key={spare} tone="warning" title={`The spare ${spare} stands for ${replaces}`}>
          <p>
            It does so in {group ?? 'the pool'}. When {replaces} works again, detach {spare}: it is a spare again. To
            keep {spare} in its place, detach {replaces}.
          </p>
          {may('operator') ? (
            <div class="actions">
              <Button onClick={() => ask({ verb: 'detach', vdev: named(vdevs, spare, spare_guid) })}>
                Return spare {spare}…
              </Button>
              <Button onClick={() => ask({ verb: 'detach', vdev: named(vdevs, replaces, replaces_guid) })}>
                Keep {spare} and detach {replaces}…
              </Button>
            </div>
          ) : null}
        </Note>
      ))}
      <Working pool={pool} />
    </>
  )
}

const named = (vdevs: readonly Vdev[], name: string, guid: string | undefined): Vdev =>
  leavesOf(vdevs).find((vdev) => vdev.guid === guid && vdev.name === name) as Vdev

function Failed({ pool, failed, ask }: { pool: string; failed: Vdev[]; ask: (asked: Asked) => void }) {
  const query = useQuery<Disk[]>('/api/v1/disks', { every: 30 })
  return (
    <Note tone="error" title={failed.length === 1 ? 'One disk does not work' : `${failed.length} disks do not work`}>
      <ul>
        {failed.map((vdev) => {
          const disk = query.data && diskOf(query.data, pool, vdev)
          return (
            <li key={vdev.guid ?? vdev.name}>
              {vdev.name} is {vdev.state}
              {disk ? placeOf(disk) : query.data ? ', and this machine does not see it' : ''}
              {vdev.path && vdev.path !== vdev.name ? ` (${vdev.path})` : ''}{' '}
              {may('operator') ? (
                <Button label={`Replace the failed ${vdev.name}`} onClick={() => ask({ verb: 'replace', vdev })}>
                  Replace…
                </Button>
              ) : null}
            </li>
          )
        })}
      </ul>
    </Note>
  )
}

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
