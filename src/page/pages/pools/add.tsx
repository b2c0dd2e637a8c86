// Disks are added to a pool: new groups of data, log, cache, special, dedup, or hot spares. The appliance's plan is shown
// before anything is overwritten.
import { call, Failure } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Check } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { plural } from '../../kit/format.ts'
import { Card, Note, Page } from '../../kit/layout.tsx'
import { useAction, useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { session } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { ChooseDisks } from './choose-disks.tsx'
import { chosenOf, FileDisks, filesAsDisks, freeOf, NoFreeDisk, Overwritten } from './free-disks.tsx'
import { layoutOf, presentIn, vdevWords } from './groups.ts'
import { PlanForm } from './plan.tsx'
import type { Disk, FreeDisk, PoolDetails } from './types.ts'
import { useGroups } from './use-groups.ts'

export function AddDisks({ name }: { name: string }) {
  const disks = useQuery<Disk[]>('/api/v1/disks')
  const pool = useQuery<PoolDetails>(one('pools', name))
  return (
    <Page
      title={`Add disks to ${name}`}
      intro="The pool is extended by new groups of disks (vdevs), or gets hot spares, a log, a cache. To replace a disk or to widen a mirror or RAID-Z, use the buttons of the pool’s devices."
    >
      <p>
        <a href={link('pools', name)}>Pool {name}</a>
      </p>
      <Loaded query={pool}>
        {(details) => (
          <Loaded query={disks}>
            {(all) => {
              const free = freeOf(all)
              return (
                <Card>
                  {free.length === 0 && !session.get().file_vdevs ? (
                    <NoFreeDisk rescan={() => void disks.reload()} />
                  ) : (
                    <Choice name={name} pool={details} disks={free} />
                  )}
                </Card>
              )
            }}
          </Loaded>
        )}
      </Loaded>
    </Page>
  )
}

/** What zpool says where only the layout speaks against the disks. */
const MISMATCH = /^(?:mismatched replication level: |[a-z]+ contains devices of different sizes)/
const isMismatch = (error: unknown) =>
  error instanceof Failure && error.message.split('; ').every((reason) => MISMATCH.test(reason))

function Choice({ name, pool, disks: found }: { name: string; pool: PoolDetails; disks: FreeDisk[] }) {
  const present = presentIn(pool.vdevs)
  const first = layoutOf(present.findLast(({ use }) => use === 'data')?.type ?? 'mirror')
  const all = useGroups(first)
  const [files, setFiles] = useState('')
  // Each holds only for these very words: another layout is refused and agreed to anew.
  const [refused, setRefused] = useState('')
  const [allowed, setAllowed] = useState('')
  const [isPlanned, setPlanned] = useState(false)

  const disks = [...found, ...filesAsDisks(files)]
  const chosen = chosenOf(disks, all)
  const vdevs = vdevWords(all.groups)
  const words = vdevs.join(' ')
  const json = { vdevs, ...(allowed === words && words !== '' && { allow: ['layout-mismatch'] }) }
  const path = `${one('pools', name)}/add`
  const action = useAction(async () => {
    try {
      await call('POST', `${path}?dry_run=true`, { json })
      setPlanned(true)
    } catch (error) {
      if (isMismatch(error)) setRefused(words)
      throw error
    }
  })
  return (
    <>
      <Form action={action} submit="Show the plan" cancel={() => go('pools', name)}>
        <ChooseDisks disks={disks} groups={all} first={first} present={present} />
        <FileDisks value={files} onValue={setFiles} groups={all} />
        <Overwritten disks={chosen} />
        {refused === words && words !== '' ? (
          <Note tone="warning" title="ZFS refuses this layout, because it does not match the pool or itself">
            <Check
              label="Add the disks all the same (layout-mismatch)"
              checked={allowed === words}
              onChecked={(on) => setAllowed(on ? words : '')}
              hint="The redundancy or the sizes differ. This cannot be corrected later without moving the data."
            />
          </Note>
        ) : null}
      </Form>
      {isPlanned ? (
        <Dialog title={`Add ${plural(chosen.length, 'disk')} to ${name}`} onClose={() => setPlanned(false)}>
          <PlanForm
            path={path}
            json={json}
            job="pool.add"
            submit="Add disks"
            onClose={() => setPlanned(false)}
            onDone={() => go('pools', name)}
          />
        </Dialog>
      ) : null}
      <Curl
        lines={[
          { path: '/api/v1/disks' },
          { method: 'POST', path: `${path}?dry_run=true`, json },
          { method: 'POST', path: `${path}?confirm=TOKEN`, json },
        ]}
      />
    </>
  )
}
