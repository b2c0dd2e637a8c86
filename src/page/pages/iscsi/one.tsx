// One target: who may use it, its LUNs, and the commands that connect a machine to it.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Curl } from '../../kit/curl.tsx'
import { Loaded } from '../../kit/failure.tsx'
import { Card, Cards, Facts, Note, Page } from '../../kit/layout.tsx'
import { useQuery } from '../../query.ts'
import { go, link } from '../../router.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { host, Lines } from '../storage/connect.tsx'
import { Enabled } from '../storage/row-actions.tsx'
import { TargetDialog } from './form.tsx'
import { Luns } from './luns.tsx'
import { RemoveTarget } from './remove.tsx'
import { IscsiSessions } from './sessions.tsx'
import type { Target } from './types.ts'

export function OneTarget({ id }: { id: string }) {
  const path = one('iscsi/targets', id)
  const query = useQuery<Target>(path, { every: 15 })
  const [asked, setAsked] = useState<'edit' | 'remove'>()
  const close = () => setAsked(undefined)
  const target = query.data
  const actions =
    may('operator') && target?.managed ? (
      <>
        <Button onClick={() => setAsked('edit')}>Edit…</Button>
        <Button kind="danger" onClick={() => setAsked('remove')}>
          Delete…
        </Button>
      </>
    ) : null
  return (
    <Page title={target ? `Target ${target.iqn}` : 'Target'} actions={actions}>
      <p>
        <a href={link('iscsi')}>All targets</a>
      </p>
      <Loaded query={query}>{(loaded) => <Sections target={loaded} reload={query.reload} />}</Loaded>
      {asked === 'edit' && target ? (
        <TargetDialog
          target={target}
          onClose={close}
          onDone={async () => {
            await query.reload()
            close()
          }}
        />
      ) : null}
      {asked === 'remove' && target ? (
        <RemoveTarget target={target} onClose={close} onDone={() => go('iscsi')} />
      ) : null}
      <Curl
        lines={[
          { path },
          ...(may('operator') ? [{ method: 'POST', path: `${path}/luns`, json: { zvol: 'tank/vol1' } }] : []),
        ]}
      />
    </Page>
  )
}

function Sections({ target, reload }: { target: Target; reload: () => Promise<void> }) {
  const { iqn, enabled, managed, initiators, chap, mutual_chap: mutual, portals, note } = target
  return (
    <>
      {managed ? null : (
        <Note>
          <span>
            This target was created outside Edge Admin. It is shown here, but can only be changed where it was created.
          </span>
        </Note>
      )}
      {note ? (
        <Note tone="warning">
          <span>{note}</span>
        </Note>
      ) : null}
      <Cards>
        <Card title="Access">
          <Facts
            of={[
              ['State', <Enabled on={enabled} />],
              ['Allowed initiators', initiators.join(', ') || 'nobody'],
              ['CHAP', chap ? `name ${chap.username}; the password is not shown` : 'not required'],
              ['Mutual CHAP', mutual ? `name ${mutual.username}; the password is not shown` : 'none'],
              ['Listens on', portals.join(', ')],
            ]}
          />
        </Card>
        <Card title="Connect a Linux machine">
          <Lines what="the lines that connect to it" of={connectLines(target)} />
          {chap ? (
            <p class="muted">
              Set the CHAP name and password on that machine before you run the last line: node.session.auth.username
              and password{mutual ? ', and for mutual CHAP username_in and password_in' : ''}.
            </p>
          ) : null}
        </Card>
        <Luns key={iqn} target={target} reload={reload} />
        <IscsiSessions target={target.id} />
      </Cards>
    </>
  )
}

/** `[::]:3260` is every address, so the one by which the browser reached the appliance is shown. */
function connectLines({ iqn, portals }: Target): string[] {
  const portal = portals[0] ?? ':3260'
  const address = portal.slice(0, portal.lastIndexOf(':'))
  const at = `${/^\[::\]$|^0\.0\.0\.0$|^$/.test(address) ? host() : address}${portal.slice(portal.lastIndexOf(':'))}`
  const node = `iscsiadm -m node -T ${iqn} -p ${at}`
  return [`iscsiadm -m discovery -t sendtargets -p ${at}`, `${node} --login`]
}
