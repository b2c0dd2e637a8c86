// Creates or edits a share group. All members change in one step.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { useAction } from '../../query.ts'
import { changedNames, ifMatch, one } from '../storage/api-types.ts'
import { EditDialog } from '../storage/latest.tsx'
import { NamesField } from './names-field.tsx'
import { type DialogEnds, GROUPS, type ShareGroup } from './types.ts'

/** `known`: the users to choose from. */
export const GroupDialog = ({
  group,
  known,
  onClose,
  onDone,
}: DialogEnds & { group: ShareGroup | undefined; known: readonly string[] }) => (
  <EditDialog<ShareGroup>
    title={group ? `Edit the share group ${group.name}` : 'Create a share group'}
    path={group && one('share-groups', group.id)}
    onClose={onClose}
  >
    {(before, etag) => <GroupForm before={before} etag={etag} known={known} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function GroupForm({
  before,
  etag,
  known,
  onClose,
  onDone,
}: DialogEnds & { before: ShareGroup | undefined; etag: string | undefined; known: readonly string[] }) {
  const [name, setName] = useState('')
  const [description, setDescription] = useState(before?.description ?? '')
  const [members, setMembers] = useState(before?.members.join('\n') ?? '')
  const json = { ...(before ? {} : { name }), description, members: changedNames(members, before?.members) }
  const method = before ? 'PUT' : 'POST'
  const path = before ? one('share-groups', before.id) : GROUPS
  const action = useAction(async () => {
    const group = await call<ShareGroup>(method, path, { json, ...ifMatch(etag) })
    await onDone(`${group.name} was ${before ? 'changed' : 'created'}.`)
  })
  return (
    <>
      <Form action={action} submit={before ? 'Save' : 'Create share group'} cancel={onClose}>
        {before ? null : (
          <Field
            label="Name"
            name="name"
            value={name}
            onValue={setName}
            hint="Letters, digits and _ . -; in a share, the group is @name"
            autocomplete="off"
            maxlength={32}
            required
          />
        )}
        <Field label="Description" name="description" value={description} onValue={setDescription} maxlength={256} />
        <NamesField
          label="Members"
          name="members"
          hint="A connected user becomes a member when it connects again."
          known={known}
          value={members}
          onValue={setMembers}
        />
      </Form>
      <Curl lines={[{ method, path, json }]} />
    </>
  )
}
