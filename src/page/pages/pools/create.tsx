// The form for a new pool: free disks in groups. Creating it overwrites the disks, so they are listed again above the
// button.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Check, Field, Group, Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { plural } from '../../kit/format.ts'
import { Card, Page } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { session } from '../../session.ts'
import { JobView, UnderWay, useWork } from '../storage/work.tsx'
import { ChooseDisks } from './choose-disks.tsx'
import { chosenOf, FileDisks, filesAsDisks, freeOf, NoFreeDisk, Overwritten } from './free-disks.tsx'
import { vdevWords } from './groups.ts'
import type { Disk, FreeDisk } from './types.ts'
import { useGroups } from './use-groups.ts'

const COMPRESSION: [string, string][] = [
  ['lz4', 'lz4: fast'],
  ['zstd', 'zstd: smaller, slower'],
  ['gzip', 'gzip: small, slow'],
  ['off', 'None'],
]
const SECTORS: [string, string][] = [
  ['', 'As reported by the disks'],
  ['9', '512 bytes (ashift 9)'],
  ['12', '4 KiB (ashift 12)'],
  ['13', '8 KiB (ashift 13)'],
]

export function CreatePool() {
  const query = useQuery<Disk[]>('/api/v1/disks')
  return (
    <Page
      title="Create a pool"
      intro="A pool is made of groups of disks (vdevs). Groups can be added later; the layout of a RAID-Z group cannot be changed."
    >
      <p>
        <a href={link('pools')}>All pools</a>
      </p>
      <Loaded query={query}>
        {(all) => {
          const disks = freeOf(all)
          return (
            <Card>
              {disks.length === 0 && !session.get().file_vdevs ? (
                <NoFreeDisk rescan={() => void query.reload()} />
              ) : (
                <Choice disks={disks} />
              )}
            </Card>
          )
        }}
      </Loaded>
    </Page>
  )
}

function Choice({ disks: found }: { disks: FreeDisk[] }) {
  const [name, setName] = useState('')
  const all = useGroups('mirror')
  const [files, setFiles] = useState('')
  const [compression, setCompression] = useState('lz4')
  const [sectors, setSectors] = useState('')
  const [trim, setTrim] = useState(false)
  const [comment, setComment] = useState('')

  const disks = [...found, ...filesAsDisks(files)]
  const chosen = chosenOf(disks, all)
  const body = {
    name,
    vdevs: vdevWords(all.groups),
    options: {
      'fs.compression': compression,
      ...(sectors && { ashift: sectors }),
      ...(trim && { autotrim: 'on' }),
      ...(comment && { comment }),
    },
  }
  const work = useWork(
    () => request('POST', '/api/v1/pools', { json: body }),
    () => go('pools', name),
  )
  if (work.job) return <JobView job={work.job} ended={work.ended} close={() => go('pools')} />
  return (
    <>
      <Form
        action={work.action}
        submit={chosen.length === 0 ? 'Create pool' : `Create pool with ${plural(chosen.length, 'device')}`}
        cancel={() => go('pools')}
      >
        <Field label="Name" name="name" value={name} onValue={setName} required maxlength={255} hint="Such as tank" />
        <ChooseDisks disks={disks} groups={all} first="mirror" />
        <FileDisks value={files} onValue={setFiles} groups={all} />
        <Group label="Options" name="options">
          <Select
            label="Compression"
            name="options.fs.compression options.compression"
            value={compression}
            onValue={setCompression}
            options={COMPRESSION}
          />
          <Select
            label="Sector size (ashift)"
            name="options.ashift"
            value={sectors}
            onValue={setSectors}
            options={SECTORS}
            hint="Cannot be changed later"
          />
          <Check
            label="Automatic TRIM (autotrim, for SSDs)"
            name="options.autotrim"
            checked={trim}
            onChecked={setTrim}
          />
          <Field label="Comment" name="options.comment" value={comment} onValue={setComment} maxlength={32} />
        </Group>
        <Overwritten disks={chosen} />
        <UnderWay busy={work.action.busy} type="pool.create" />
      </Form>
      <Curl lines={[{ path: '/api/v1/disks' }, { method: 'POST', path: '/api/v1/pools', json: body }]} />
    </>
  )
}
