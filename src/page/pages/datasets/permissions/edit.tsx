// Changes permissions: of the mount point, or of everything in the dataset by a job, after a preview.
import { request } from '../../../api.ts'
import { useState } from '../../../hooks.ts'
import { Curl } from '../../../kit/curl.tsx'
import { Check, Field, Group, Select } from '../../../kit/fields.tsx'
import { Form } from '../../../kit/form.tsx'
import { Note } from '../../../kit/layout.tsx'
import { useAction } from '../../../query.ts'
import { ifMatch } from '../../storage/api-types.ts'
import { EditDialog } from '../../storage/latest.tsx'
import { usePlanned } from '../../storage/planned.ts'
import { JobView, leaving, UnderWay, useWork } from '../../storage/work.tsx'
import { changeOf, type Draft, draftOf, isRoot, NEW_FILES, type NewFiles } from './draft.ts'
import { EntryFields, KnownNames } from './entries.tsx'
import { PreviewOf } from './preview.tsx'
import { choices, type Permissions, type Preview, permissionsPath } from './types.ts'

interface Ends {
  onClose: () => void
  onDone: (told: string) => Promise<void>
}

export const EditPermissions = ({ name, onClose, onDone }: Ends & { name: string }) => (
  <EditDialog<Permissions> title={`Permissions of ${name}`} path={permissionsPath(name)} onClose={onClose}>
    {(before, etag) => before && <EditForm before={before} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function EditForm({ before, etag, onClose, onDone }: Ends & { before: Permissions; etag: string | undefined }) {
  const [draft, setDraft] = useState(() => draftOf(before))
  const set = (change: Partial<Draft>) => setDraft((now) => ({ ...now, ...change }))
  const path = permissionsPath(before.dataset)
  const json = changeOf(draft, before)
  const { plan, load } = usePlanned<Preview>('PUT', path, json)
  const done = () =>
    onDone(
      draft.recursive
        ? 'The permissions were set for everything in the dataset.'
        : 'The permissions of the folder were changed. What is in it stays as it was.',
    )
  const work = useWork(() => request('PUT', path, { json, ...ifMatch(etag) }), done)
  // The first press of a recursive change only shows what would be changed.
  const previews = draft.recursive && plan === undefined
  const preview = useAction(() => {
    // Else an earlier refusal would be shown again with the new preview.
    work.action.clear()
    return load()
  })
  if (work.job) return <JobView job={work.job} ended={work.ended} close={onClose} />
  const hasLists = before.without_acl === undefined || draft.turnsOn
  const may = (who: 'owner' | 'group' | 'other', label: string) => (
    <Select
      label={label}
      name={who === 'owner' ? 'mode' : undefined}
      value={draft[who]}
      onValue={(letters) => set({ [who]: letters })}
      options={choices(draft.first[who])}
    />
  )
  return (
    <>
      <Form
        action={previews ? preview : work.action}
        submit={previews ? 'Preview' : draft.recursive ? 'Apply to everything' : 'Save'}
        cancel={onClose}
        leave={leaving(work)}
        why={Object.keys(json).length > 0 ? undefined : 'Nothing has been changed yet.'}
      >
        <KnownNames />
        <Group label="Owner and group (chown)">
          <Field
            label="Owner"
            name="owner"
            value={draft.user}
            onValue={(user) => set({ user })}
            hint="A share user, another account of the system or of a domain, or a number"
            list="known-users"
            autocomplete="off"
            required
          />
          <Field
            label="Group"
            name="group"
            value={draft.owning}
            onValue={(owning) => set({ owning })}
            list="known-groups"
            autocomplete="off"
            required
          />
          {isRoot(draft, before) ? (
            <Check
              label="Give it to root"
              name="allow_root"
              hint="Share users cannot use what belongs to root, unless others may."
              checked={draft.allowRoot}
              onChecked={(allowRoot) => set({ allowRoot })}
            />
          ) : null}
        </Group>
        <Group label="Read and write permissions (chmod)">
          <div class="pairs">
            {may('owner', 'The owner may')}
            {may('group', 'The group may')}
            {may('other', 'Others may')}
          </div>
          <Check
            label="New files belong to the group of the folder (set-group-ID)"
            checked={draft.setGroup}
            onChecked={(setGroup) => set({ setGroup })}
          />
          <Check
            label="Only its owner may delete a file (sticky bit)"
            checked={draft.sticky}
            onChecked={(sticky) => set({ sticky })}
          />
        </Group>
        <Group label="Other users and groups (ACL)" name="acl default_acl acltype">
          {before.without_acl === undefined ? null : <Note>{before.without_acl}</Note>}
          {before.without_acl !== undefined && before.acltype === 'off' ? (
            <Check
              label="Turn access control lists on (acltype=posixacl, xattr=sa)"
              name="acltype"
              checked={draft.turnsOn}
              onChecked={(turnsOn) => set({ turnsOn })}
            />
          ) : null}
          {hasLists ? (
            <>
              <EntryFields entries={draft.entries} onEntries={(entries) => set({ entries })} />
              <Select
                label="New files and folders begin with"
                name="default_acl"
                value={draft.newFiles}
                onValue={(newFiles) => set({ newFiles: newFiles as NewFiles })}
                options={NEW_FILES.filter(([value]) => value !== 'keep' || draft.first.newFiles === 'keep')}
              />
            </>
          ) : null}
        </Group>
        <Check
          label="Apply to everything in it (recursive)"
          name="recursive"
          hint="A job sets owner, group and permissions of all files and folders. Datasets below are left out. It cannot be undone."
          checked={draft.recursive}
          onChecked={(recursive) => set({ recursive })}
        />
        <div role="status">{draft.recursive && plan ? <PreviewOf plan={plan} /> : null}</div>
        <UnderWay busy={work.action.busy} type="dataset.permissions" />
      </Form>
      <Curl
        lines={[
          { method: 'PUT', path: `${path}?dry_run=true`, json },
          { method: 'PUT', path, json },
        ]}
      />
    </>
  )
}
