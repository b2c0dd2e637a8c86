// The dialog of a share in one go: a dataset, its permissions, and an SMB share, an NFS export or both.
import { useState } from '../../hooks.ts'
import { Dialog } from '../../kit/dialog.tsx'
import { ShareForm } from './form.tsx'
import { type Made, MadeShare } from './made.tsx'
import { CreateAccount, useAccounts } from './people.tsx'

/** `first`: what the page that opens it is about. */
export function CreateShare({
  first,
  onClose,
  onMade,
}: {
  first: 'smb' | 'nfs'
  onClose: () => void
  onMade: () => unknown
}) {
  const [made, setMade] = useState<Made>()
  const [creates, setCreates] = useState<'user' | 'group'>()
  const accounts = useAccounts()
  return (
    <Dialog title={made ? `${made.dataset} is shared` : 'Create a share'} onClose={onClose}>
      {made ? (
        <MadeShare made={made} onClose={onClose} />
      ) : (
        <ShareForm
          first={first}
          accounts={accounts}
          onCreate={setCreates}
          onClose={onClose}
          onMade={async (share) => {
            await onMade()
            setMade(share)
          }}
        />
      )}
      <CreateAccount kind={creates} accounts={accounts} onClose={() => setCreates(undefined)} />
    </Dialog>
  )
}
