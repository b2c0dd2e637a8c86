// Chooses one free disk, or a hot spare, that is large enough.
import { Loaded } from '../../kit/failure.tsx'
import { Select } from '../../kit/fields.tsx'
import { bytes } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { compare } from '../../kit/order.ts'
import { useQuery } from '../../query.ts'
import { type Disk, diskOf, placeOf } from './found-disk.ts'
import type { Vdev } from './types.ts'

export function FreeDiskField({
  needs,
  spares = { pool: '', vdevs: [] },
  value,
  onValue,
}: {
  /** Bytes. */
  needs: number
  /** The hot spares of the pool, where one may be used. */
  spares?: { pool: string; vdevs: readonly Vdev[] }
  value: string
  onValue: (disk: string) => void
}) {
  const query = useQuery<Disk[]>('/api/v1/disks')
  return (
    <Loaded query={query}>
      {(disks) => {
        const free = disks.filter((disk) => disk.free)
        const fitting = free.filter(({ size }) => size >= needs).sort((a, b) => compare(a.id, b.id))
        const standby = spares.vdevs.flatMap((vdev): [string, string][] => {
          const disk = diskOf(disks, spares.pool, vdev)
          const text = disk ? `, ${bytes(disk.size)}${placeOf(disk)}` : ''
          return disk && disk.size < needs
            ? []
            : [[vdev.guid ?? vdev.name, `${vdev.name}, hot spare of the pool${text}`]]
        })
        return (
          <>
            <Select
              label="Free disk"
              name="disk"
              required
              value={value}
              onValue={onValue}
              options={[
                ['', fitting.length + standby.length > 0 ? 'Choose a disk' : 'No free disk is large enough'],
                ...fitting.map((disk): [string, string] => [
                  disk.id,
                  `${disk.id}, ${bytes(disk.size)}${placeOf(disk)}`,
                ]),
                ...standby,
              ]}
              {...(free.length > fitting.length && {
                hint: `${free.length - fitting.length} free disks are smaller than the ${bytes(needs)} that are needed`,
              })}
            />
            <Note tone="warning">Everything on the chosen disk is overwritten.</Note>
          </>
        )
      }}
    </Loaded>
  )
}
