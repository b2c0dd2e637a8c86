// How often a pool is scrubbed and trimmed.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Loaded } from '../../kit/failure.tsx'
import { Select } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { Card, Facts, When } from '../../kit/layout.tsx'
import { type Query, useAction, useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { EVERY } from '../disks/types.ts'
import { one } from '../storage/api-types.ts'

interface Schedule {
  scrub: string
  trim: string
  scrub_started_at?: string
  trim_started_at?: string
}

export function ScheduleCard({ name }: { name: string }) {
  const path = `${one('pools', name)}/schedule`
  const query = useQuery<Schedule>(path)
  return (
    <Card title="Schedule">
      <Loaded query={query}>{(found) => <Edit found={found} path={path} query={query} />}</Loaded>
    </Card>
  )
}

function Edit({ found, path, query }: { found: Schedule; path: string; query: Query<Schedule> }) {
  const [scrub, setScrub] = useState(found.scrub)
  const [trim, setTrim] = useState(found.trim)
  const action = useAction(async () => {
    await call('PUT', path, { json: { scrub, trim } })
    await query.reload()
  })
  const { scrub_started_at: scrubbed, trim_started_at: trimmed } = found
  const times = (
    <Facts
      of={[
        ['Last scheduled scrub', scrubbed ? <When at={scrubbed} /> : 'none yet'],
        ['Last scheduled trim', trimmed ? <When at={trimmed} /> : undefined],
      ]}
    />
  )
  if (!may('operator')) return times
  return (
    <>
      {times}
      <Form action={action} submit="Save schedule" done="The schedule was saved.">
        <Select label="Scrub" name="scrub" value={scrub} onValue={setScrub} options={EVERY} />
        <Select
          label="Trim"
          name="trim"
          value={trim}
          onValue={setTrim}
          options={EVERY}
          hint="For SSDs without autotrim."
        />
      </Form>
    </>
  )
}
