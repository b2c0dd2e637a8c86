// The properties of a pool that are switched on its page, and the upgrade of its features.
import { request } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Dialog } from '../../kit/dialog.tsx'
import { Check } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Card, Facts } from '../../kit/layout.tsx'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import { JobView, UnderWay, useWork } from '../storage/work.tsx'
import { PlanForm } from './plan.tsx'

const SWITCHES: [name: string, label: string, hint: string][] = [
  [
    'autoreplace',
    'Replace a failed disk by a new one in the same slot (autoreplace)',
    'The new disk is formatted and used without a question.',
  ],
  ['autotrim', 'Automatic TRIM (autotrim)', 'For SSDs: freed blocks are trimmed at once.'],
  [
    'autoexpand',
    'Grow when all disks of a group have been replaced by larger ones (autoexpand)',
    'The space is used once the last disk of the group is larger.',
  ],
]

/** `options`: the properties that were set; one that is not there is off. */
export function PropertiesCard({
  name,
  options,
  reload,
}: {
  name: string
  options: Record<string, string>
  reload: () => void
}) {
  const [changes, setChanges] = useState<Record<string, 'on' | 'off'>>({})
  const [isUpgrade, setUpgrade] = useState(false)
  const now = (option: string) => (options[option] === 'on' ? 'on' : 'off')
  const changed = Object.fromEntries(Object.entries(changes).filter(([option, value]) => value !== now(option)))
  const saved = () => {
    setChanges({})
    reload()
  }
  const work = useWork(() => request('PATCH', one('pools', name), { json: { options: changed } }), saved)
  const isOperator = may('operator')
  const others = Object.entries(options).filter(([option]) => !SWITCHES.some(([known]) => known === option))
  return (
    <Card
      title="Properties"
      actions={isOperator ? <Button onClick={() => setUpgrade(true)}>Upgrade features…</Button> : null}
    >
      {!isOperator ? (
        <Facts of={SWITCHES.map(([option]): [string, string] => [option, now(option)])} />
      ) : work.job ? (
        <JobView job={work.job} ended={work.ended} close={saved} />
      ) : (
        <Form
          action={work.action}
          submit="Save properties"
          why={Object.keys(changed).length === 0 ? 'Nothing has been changed yet.' : undefined}
        >
          {SWITCHES.map(([option, label, hint]) => (
            <Check
              key={option}
              label={label}
              name={`options.${option}`}
              hint={hint}
              checked={(changes[option] ?? now(option)) === 'on'}
              onChecked={(on) => setChanges((before) => ({ ...before, [option]: on ? 'on' : 'off' }))}
            />
          ))}
          <UnderWay busy={work.action.busy} type="pool.set" />
        </Form>
      )}
      {others.length > 0 ? <Facts of={others} /> : null}
      {isUpgrade ? (
        <Dialog title={`Upgrade pool ${name}`} onClose={() => setUpgrade(false)}>
          <PlanForm
            path={`${one('pools', name)}/upgrade`}
            job="pool.upgrade"
            submit="Upgrade pool"
            kind="danger"
            onClose={() => setUpgrade(false)}
            onDone={() => {
              setUpgrade(false)
              reload()
            }}
          />
        </Dialog>
      ) : null}
    </Card>
  )
}
