// Deletes an account permanently.
import { call } from '../../api.ts'
import { Confirm } from '../../kit/dialog.tsx'
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
