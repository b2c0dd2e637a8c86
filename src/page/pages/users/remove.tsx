// Deletes one account, or several, permanently.
import { call } from '../../api.ts'
import { Confirm } from '../../kit/dialog.tsx'
import { plural } from '../../kit/format.ts'
import { Several } from '../../kit/several.tsx'
import { useAction } from '../../query.ts'
import { type Account, ifMatch, seeUser, userPath } from './account.ts'

export function RemoveUser({
  user: { id, username },
  onClose,
  onDone,
}: {
  user: Account
  onClose: () => void
  onDone: (told: string) => Promise<void>
}) {
  const action = useAction(async () => {
    const { tag } = await seeUser(id)
    await call('DELETE', userPath(id), { headers: ifMatch(tag) })
    await onDone(`${username} was deleted.`)
  })
  return (
    <Confirm title={`Delete ${username}?`} submit="Delete user" action={action} onClose={onClose} name={username}>
      <p>The account is deleted for good and its sessions end. To keep it for later, disable it instead.</p>
    </Confirm>
  )
}

export const RemoveUsers = ({
  users,
  onClose,
  onDone,
}: {
  users: Account[]
  onClose: () => void
  onDone: (told: string) => Promise<void>
}) => (
  <Several
    title={`Delete ${plural(users.length, 'user')}?`}
    submit={`Delete ${plural(users.length, 'user')}`}
    done="deleted"
    of={users.map(({ id, username }) => ({ id, name: username }))}
    each={({ id }) => call('DELETE', userPath(id))}
    typed
    onClose={onClose}
    onDone={() => onDone(`${plural(users.length, 'user was', 'users were')} deleted.`)}
  >
    <p>These accounts are deleted for good and their sessions end. To keep one for later, disable it instead:</p>
  </Several>
)
