// Says what a change of the network will do before it is sent. The trap: the person may be about to lose this very page.
import { Confirm } from '../../kit/dialog.tsx'
import { Note, Table } from '../../kit/layout.tsx'
import type { Action } from '../../query.ts'
import { changesOf, movesAddress, newAddress, type Settings } from './document.ts'

export function ConfirmSettings({
  before,
  after,
  action,
  onClose,
}: {
  before: Settings
  after: Settings
  action: Action<[]>
  onClose: () => void
}) {
  const changes = changesOf(before, after)
  return (
    <Confirm title="Apply these settings?" submit="Apply" action={action} onClose={onClose}>
      {changes.length === 0 ? (
        <p>Nothing is different from what is set. It would be applied again as it is.</p>
      ) : (
        <Table
          label="What will change"
          rows={changes}
          id={({ label, name }) => label + name}
          empty=""
          columns={[
            { title: 'Setting', cell: ({ label }) => label },
            { title: 'Now', cell: ({ from }) => from || 'not set' },
            { title: 'Then', cell: ({ to }) => to || 'not set' },
          ]}
        />
      )}
      {movesAddress(changes) ? (
        <Note tone="warning" title="This page may stop answering here">
          <span>
            The network is changed at once. <Whereabouts settings={after} />
          </span>
        </Note>
      ) : (
        <p>The network is applied again at once; connections may break for a moment.</p>
      )}
    </Confirm>
  )
}

/** Where to go afterwards. */
export function Whereabouts({ settings }: { settings: Settings }) {
  const address = newAddress(settings, location.port)
  return address === undefined ? (
    <>
      The DHCP server decides on the address: look for the name {String(settings.network['hostname'])} there, or on the
      appliance’s own screen.
    </>
  ) : (
    <>
      The console will be at <a href={address}>{address}</a>. Sign in again there; the browser may ask about the
      certificate.
    </>
  )
}
