// Shows the license and installs another. A rejected one changes nothing.
import { useState } from '../hooks.ts'
import { Curl } from '../kit/curl.tsx'
import { FailureNote } from '../kit/failure.tsx'
import { FileField } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Card, Facts, Note, Page } from '../kit/layout.tsx'
import { Sending, useSending } from '../kit/sending.tsx'
import { useAction, useQuery } from '../query.ts'
import { may } from '../session.ts'

type Value = string | number | boolean

const PATH = '/api/v1/admin/license'
/** The members that every license has; a vendor may add others, which are shown by their names. */
const LABELS: Record<string, string> = {
  app: 'Product',
  name: 'Licensee',
  contact: 'Contact',
  users: 'Users',
  expires: 'Valid until',
}

export function License() {
  const query = useQuery<Record<string, Value>>(PATH)
  const [file, setFile] = useState<File>()
  const [installed, setInstalled] = useState(0)
  const { sending, busy, send } = useSending(PATH, 'The license', 'license')
  const action = useAction(async () => {
    await send({ license: file })
    setFile(undefined)
    setInstalled(installed + 1)
    await query.reload()
  })
  return (
    <Page title="License" intro="The license is issued and signed by the vendor.">
      <Card title="Installed">
        {query.failure?.status === 404 ? (
          <p>No valid license is installed.</p>
        ) : (
          <FailureNote failure={query.failure} again={query.reload} />
        )}
        {query.data && !query.failure ? (
          <Facts of={Object.entries(query.data).map(([name, value]) => [LABELS[name] ?? name, shown(value)])} />
        ) : null}
      </Card>
      {may('administrator') ? (
        <Card title="Install a license">
          <Form key={installed} action={{ ...action, busy: action.busy || busy }} submit="Install license">
            <FileField label="License file" name="license" required file={file} onFile={setFile} />
            <Sending sending={sending} then="File received. Checking it…" />
          </Form>
          {installed > 0 && !action.failure ? <Note tone="ok">The license was installed.</Note> : null}
        </Card>
      ) : null}
      <Curl lines={[{ path: PATH }, { method: 'POST', path: PATH, form: { license: '@license.asc' } }]} />
    </Page>
  )
}

const shown = (value: unknown) =>
  typeof value === 'boolean'
    ? value
      ? 'yes'
      : 'no'
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value)
