// Chooses one free disk that is large enough.
import { Loaded } from '../../kit/failure.tsx'
import { Select } from '../../kit/fields.tsx'
import { bytes } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { compare } from '../../kit/order.ts'
import { useQuery } from '../../query.ts'
import { type Disk, placeOf } from './found-disk.ts'

export function FreeDiskField({
  needs,
  value,
  onValue,
}: {
  /** Bytes. */
  needs: number
  value: string
  onValue: (disk: string) => void
}) {
  const query = useQuery<Disk[]>('/api/v1/disks')
  return (
    <Loaded query={query}>
      {(disks) => {
        const free = disks.filter((disk) => disk.free)
        const fitting = free.filter(({ size }) => size >= needs).sort((a, b) => compare(a.id, b.id))
        return (
          <>
            <Select
              label="Free disk"
              name="disk"
              required
              value={value}
              onValue={onValue}
              options={[
                ['', fitting.length > 0 ? 'Choose a disk' : 'No free disk is large enough'],
                ...fitting.map((disk): [string, string] => [
                  disk.id,
                  `${disk.id}, ${bytes(disk.size)}${placeOf(disk)}`,
                ]),
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
