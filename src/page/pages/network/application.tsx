// The settings of the vendor's own application. Their types are the application's contract: a number stays a number,
// and a value without a suitable field is edited as JSON.
import { useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { Check, Field, TextArea } from '../../kit/fields.tsx'
import { Card } from '../../kit/layout.tsx'
import type { Member } from './document.ts'

export function Application({ members, onMembers }: { members: Member[]; onMembers: (members: Member[]) => void }) {
  const [name, setName] = useState('')
  const taken = members.some((member) => member.name === name.trim())
  const put = (changed: Member) => onMembers(members.map((one) => (one.name === changed.name ? changed : one)))
  const add = () => {
    onMembers([...members, { name: name.trim(), kind: 'text', text: '' }])
    setName('')
  }
  return (
    <Card title="Application settings">
      <p class="muted">
        {members.length === 0
          ? 'There are no settings. The application on this appliance defines which ones it reads.'
          : 'Settings of the application on this appliance; its manual explains them.'}
      </p>
      {members.map((member) => (
        <div key={member.name} class="removable">
          <One member={member} onMember={put} />
          <Button
            kind="quiet"
            label={`Remove ${member.name}`}
            onClick={() => onMembers(members.filter((one) => one !== member))}
          >
            Remove
          </Button>
        </div>
      ))}
      <div class="removable">
        <Field label="Name of the new setting" value={name} onValue={setName} autocomplete="off" />
        <Button
          why={
            taken ? 'A setting with this name already exists.' : name.trim() === '' ? 'Enter a name first.' : undefined
          }
          onClick={add}
        >
          Add
        </Button>
      </div>
    </Card>
  )
}

function One({ member, onMember }: { member: Member; onMember: (member: Member) => void }) {
  const { name, kind, text } = member
  const put = (text: string) => onMember({ ...member, text })
  const wire = `app.${name}`
  if (kind === 'check')
    return <Check label={name} name={wire} checked={text === 'true'} onChecked={(on) => put(String(on))} />
  if (kind === 'json') return <TextArea label={`${name} (JSON)`} name={wire} value={text} onValue={put} rows={3} />
  return (
    <Field
      label={kind === 'number' ? `${name} (number)` : name}
      name={wire}
      value={text}
      onValue={put}
      autocomplete="off"
    />
  )
}
