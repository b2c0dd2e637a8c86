// Removing an account, for good.
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
    await onDone(`${username} was removed.`)
  })
  return (
    <Confirm title={`Remove ${username}?`} submit="Remove" action={action} onClose={onClose} name={username}>
      <p>
        The account is gone for good, and everything it is signed in with ends. To keep it for later, edit it and switch
        it off instead.
      </p>
    </Confirm>
  )
}
