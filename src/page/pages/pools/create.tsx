// The form for a new pool: free disks and layout. Creating it overwrites the disks, so they are listed again above the
// button.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Check, Field, Group, Select, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { bytes, plural } from '../../kit/format.ts'
import { Card, Note, Page } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { session } from '../../session.ts'
import { words } from '../storage/api-types.ts'
import { JobView, UnderWay, useWork } from '../storage/work.tsx'
import { doubts, LAYOUTS, type Layout, USES, type Use, usable, vdevWords, whyNot } from './layouts.ts'
import type { Available } from './types.ts'

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
  const query = useQuery<Available>('/api/v1/pools/available')
  return (
    <Page title="Create a pool" intro="A pool is made of whole disks. Its layout cannot be changed later.">
      <p>
        <a href={link('pools')}>All pools</a>
      </p>
      <Loaded query={query}>
        {({ disks }) => (
          <Card>
            {disks.length === 0 && !session.get().file_vdevs ? (
              <Note title="There is no free disk">
                <span>A disk is free when it holds nothing: no partition, no file system, no other pool.</span>
                <Button onClick={() => void query.reload()}>Rescan</Button>
              </Note>
            ) : (
              <Choice disks={disks} />
            )}
          </Card>
        )}
      </Loaded>
    </Page>
  )
}

/** Sorts fake2 before fake10. */
const byNumber = new Intl.Collator('en', { numeric: true }).compare

function Choice({ disks: found }: { disks: Available['disks'] }) {
  const disks = [...found].sort((a, b) => byNumber(a.path, b.path))
  const [name, setName] = useState('')
  const [layout, setLayout] = useState<Layout>('mirror')
  const [uses, setUses] = useState<Record<string, Use | ''>>({})
  const [files, setFiles] = useState('')
  const [compression, setCompression] = useState('lz4')
  const [sectors, setSectors] = useState('')
  const [trim, setTrim] = useState(false)
  const [comment, setComment] = useState('')

  const chosen: [string, Use][] = [
    ...disks.flatMap(({ path }): [string, Use][] => (uses[path] ? [[path, uses[path]]] : [])),
    ...words(files).map((path): [string, Use] => [path, 'data']),
  ]
  const ofDisks = disks.filter(({ path }) => uses[path])
  const sizes = disks.filter(({ path }) => uses[path] === 'data').map(({ size }) => size)
  const missing = whyNot(layout, chosen.filter(([, use]) => use === 'data').length)
  const room = sizes.length > 0 && !missing ? `About ${bytes(usable(layout, sizes))} will be usable.` : undefined
  const body = {
    name,
    vdevs: vdevWords(layout, chosen),
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
        <Select
          label="Layout of the data disks"
          value={layout}
          onValue={(value) => setLayout(value as Layout)}
          options={Object.entries(LAYOUTS)}
        />
        <Group label="Disks" name="vdevs" wrong={missing} part={(at) => body.vdevs[Number(at)] ?? at} hint={room}>
          <Table
            label="Free disks"
            what="disks"
            rows={disks}
            id={({ path }) => path}
            empty="There is no free disk."
            columns={[
              { title: 'Disk', by: ({ path }) => path, cell: ({ path }) => <span class="break">{path}</span> },
              {
                title: 'Used for',
                cell: ({ path }) => (
                  <UseField
                    path={path}
                    value={uses[path] ?? ''}
                    onValue={(use) => setUses((before) => ({ ...before, [path]: use }))}
                  />
                ),
              },
              { title: 'Size', by: ({ size }) => size, cell: ({ size }) => bytes(size), number: true },
              {
                title: 'Model, serial number',
                by: ({ model = '', serial = '' }) => `${model} ${serial}`,
                cell: ({ model = '', serial = '' }) => `${model} ${serial}`,
              },
            ]}
          />
          {session.get().file_vdevs ? (
            <TextArea
              label="Files as data disks"
              hint="For testing: one path per line"
              rows={2}
              value={files}
              onValue={setFiles}
            />
          ) : null}
          <div role="status">
            {doubts(layout, sizes).map((doubt) => (
              <Note key={doubt} tone="warning">
                {doubt}
              </Note>
            ))}
          </div>
        </Group>
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
        {ofDisks.length > 0 ? (
          <Note tone="warning" title={`${plural(ofDisks.length, 'disk')} will be overwritten`}>
            <ul>
              {ofDisks.map(({ path, size, model, serial }) => (
                <li key={path}>
                  {path}, {bytes(size)} {model} {serial}
                </li>
              ))}
            </ul>
          </Note>
        ) : null}
        <UnderWay busy={work.action.busy} type="pool.create" />
      </Form>
      <Curl lines={[{ path: '/api/v1/pools/available' }, { method: 'POST', path: '/api/v1/pools', json: body }]} />
    </>
  )
}

/** A table's title is no label for the field in it, so the label names the disk. */
const UseField = ({ path, value, onValue }: { path: string; value: Use | ''; onValue: (use: Use | '') => void }) => (
  <select
    aria-label={`Use of ${path}`}
    value={value}
    onInput={(event: Event) => onValue((event.currentTarget as HTMLSelectElement).value as Use | '')}
  >
    {[['', 'Not used'], ...Object.entries(USES)].map(([use, text]) => (
      <option key={use} value={use} selected={use === value}>
        {text}
      </option>
    ))}
  </select>
)
