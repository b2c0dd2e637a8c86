// The form of a share in one go. The appliance makes all of it or nothing, and shows its steps before.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field, Group, Select, TextArea } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Note, Stack } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { words } from '../storage/api-types.ts'
import { DatasetField } from '../storage/pickers.tsx'
import { usePlanned } from '../storage/planned.ts'
import { type Draft, datasetOf, draftFor, requestOf, shareOf } from './draft.ts'
import type { Made } from './made.tsx'
import { type Accounts, WhoMay } from './people.tsx'

const PATH = '/api/v1/shares'

interface SharePlan {
  steps: { step: string; object: string; words: string }[]
}

interface Part {
  draft: Draft
  set: (change: Partial<Draft>) => void
}

export function ShareForm({
  first,
  accounts,
  onCreate,
  onClose,
  onMade,
}: {
  first: 'smb' | 'nfs'
  accounts: Accounts
  onCreate: (kind: 'user' | 'group') => void
  onClose: () => void
  onMade: (made: Made) => Promise<void>
}) {
  const [draft, setDraft] = useState(() => draftFor(first))
  const set = (change: Partial<Draft>) => setDraft((before) => ({ ...before, ...change }))
  const json = requestOf(draft)
  const { plan, load } = usePlanned<SharePlan>('POST', PATH, json)
  const create = useAction(async () => onMade(await call<Made>('POST', PATH, { json })))
  const steps = useAction(() => {
    // Else an earlier refusal would be shown again with the new steps.
    create.clear()
    return load()
  })
  return (
    <Stack>
      <Form action={plan ? create : steps} submit={plan ? 'Create share' : 'Show the steps'} cancel={onClose}>
        <DatasetPart draft={draft} set={set} />
        <WhoMay
          accounts={accounts}
          people={draft.people}
          onPeople={(change) => setDraft((before) => ({ ...before, people: change(before.people) }))}
          onCreate={onCreate}
        />
        {json['access'] ? null : (
          <Note tone="warning">
            {draft.isNew
              ? 'Nobody is chosen: everybody may read, and only root may write.'
              : 'Nobody is chosen: the permissions stay as they are.'}
          </Note>
        )}
        <ProtocolPart draft={draft} set={set} />
        <div role="status">
          {plan ? (
            <Note title="All of this is done, or nothing:">
              <ol>
                {plan.steps.map(({ step, object, words: text }) => (
                  <li key={step + object}>{text}</li>
                ))}
              </ol>
            </Note>
          ) : null}
        </div>
      </Form>
      <Curl
        lines={[
          { method: 'POST', path: `${PATH}?dry_run=true`, json },
          { method: 'POST', path: PATH, json },
        ]}
      />
    </Stack>
  )
}

const DatasetPart = ({ draft, set }: Part) => (
  <Group label="Dataset">
    <Select
      label="Folder to share"
      value={draft.isNew ? 'new' : 'existing'}
      onValue={(value) => set({ isNew: value === 'new' })}
      options={[
        ['new', 'a new dataset'],
        ['existing', 'a dataset that exists'],
      ]}
    />
    {draft.isNew ? (
      <>
        <DatasetField
          label="Parent"
          type="filesystem"
          value={draft.parent}
          onValue={(parent) => set({ parent })}
          required
          pools
        />
        <Field
          label="Name"
          name="dataset"
          value={draft.label}
          onValue={(label) => set({ label })}
          hint={draft.parent && draft.label ? `Full name: ${datasetOf(draft)}` : 'Such as team'}
          autocomplete="off"
          required
        />
      </>
    ) : (
      <>
        <DatasetField
          label="Dataset"
          name="dataset"
          type="filesystem"
          value={draft.existing}
          onValue={(existing) => set({ existing })}
          required
        />
        <Check
          label="Turn access control lists on (acltype=posixacl)"
          name="acltype acl default_acl"
          hint="Needed for more than one user and one group, where the dataset has no lists yet"
          checked={draft.lists}
          onChecked={(lists) => set({ lists })}
        />
      </>
    )}
  </Group>
)

const ProtocolPart = ({ draft, set }: Part) => (
  <Group label="Protocols" wrong={draft.smb || draft.nfs ? undefined : 'Choose SMB, NFS or both'}>
    <Check label="SMB share, for Windows and macOS" name="smb" checked={draft.smb} onChecked={(smb) => set({ smb })} />
    {draft.smb ? (
      <>
        <Field
          label="Share name"
          name="smb.name"
          value={shareOf(draft)}
          onValue={(share) => set({ share })}
          autocomplete="off"
          maxlength={80}
          required
        />
        <Field
          label="Description"
          name="smb.description"
          value={draft.description}
          onValue={(description) => set({ description })}
          maxlength={256}
        />
      </>
    ) : null}
    <Check
      label="NFS export, for Linux, Unix and hypervisors"
      name="nfs"
      checked={draft.nfs}
      onChecked={(nfs) => set({ nfs })}
    />
    {draft.nfs ? (
      <>
        <TextArea
          label="Allowed clients"
          name="nfs.clients"
          hint="One address, network such as 192.168.1.0/24, host name or @netgroup per line; * allows everyone"
          rows={2}
          part={(at) => words(draft.clients)[Number(at)] ?? at}
          value={draft.clients}
          onValue={(clients) => set({ clients })}
          required
        />
        <Check
          label="Map all users of clients to the owner and group of the folder (all_squash)"
          name="nfs.squash"
          hint="Every client may then do what the owner may. When this is off, clients work with the numbers that they send."
          checked={draft.squash}
          onChecked={(squash) => set({ squash })}
        />
      </>
    ) : null}
  </Group>
)
