// Shows what a change of the network will do before it is sent; it may cut the connection to this page.
import { Confirm } from '../../kit/dialog.tsx'
import { Note } from '../../kit/layout.tsx'
import { Table } from '../../kit/table.tsx'
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
        <p>No setting has changed. The current settings will be applied again.</p>
      ) : (
        <Table
          label="Changes"
          rows={changes}
          id={({ label, name }) => label + name}
          empty=""
          columns={[
            { title: 'Setting', cell: ({ label }) => label },
            { title: 'Current', cell: ({ from }) => from || 'not set' },
            { title: 'New', cell: ({ to }) => to || 'not set' },
          ]}
        />
      )}
      {movesAddress(changes) ? (
        <Note tone="warning" title="You may lose the connection to this page">
          <span>
            The network settings change immediately. <Whereabouts settings={after} />
          </span>
        </Note>
      ) : (
        <p>The network settings are applied immediately; connections may be interrupted for a moment.</p>
      )}
    </Confirm>
  )
}

/** Where to find the console afterwards. */
export function Whereabouts({ settings }: { settings: Settings }) {
  const address = newAddress(settings, location.port)
  return address === undefined ? (
    <>
      The DHCP server assigns the address: look for the name {String(settings.network['hostname'])} there, or on the
      appliance’s own screen.
    </>
  ) : (
    <>
      The console will be at <a href={address}>{address}</a>. Sign in again there; your browser may ask you to trust the
      certificate.
    </>
  )
}
