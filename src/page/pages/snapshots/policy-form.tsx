// The numbers of a policy, and their effect. Lower numbers delete snapshots at the next run, so a preview is required
// before saving, and again after each change.
import { call } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { Curl } from '../../kit/curl.tsx'
import { Check, Field } from '../../kit/fields.tsx'
import { Form } from '../../kit/form.tsx'
import { plural } from '../../kit/format.ts'
import { Note } from '../../kit/layout.tsx'
import { useAction } from '../../query.ts'
import { ifMatch, one } from '../storage/api-types.ts'
import { Names } from '../storage/destroy.tsx'
import { EditDialog } from '../storage/latest.tsx'
import { DatasetField } from '../storage/pickers.tsx'
import { EVERY, type Policy, TYPES } from './policy.ts'

interface Preview {
  take: string[]
  destroy: string[]
  keep: { name: string; reason: string }[]
}

const NEW: Policy = {
  dataset: '',
  frequent: 0,
  hourly: 24,
  daily: 7,
  weekly: 4,
  monthly: 0,
  yearly: 0,
  autosnap: true,
  autoprune: true,
}

export const PolicyDialog = ({
  dataset,
  onClose,
  onDone,
}: {
  /** Undefined for a new policy. */
  dataset: string | undefined
  onClose: () => void
  onDone: () => unknown
}) => (
  <EditDialog<Policy>
    title={dataset === undefined ? 'Create a snapshot policy' : `Edit the policy of ${dataset}`}
    path={dataset === undefined ? undefined : one('snapshot-policies', dataset)}
    onClose={onClose}
  >
    {(before, etag) => <PolicyForm before={before} etag={etag} onClose={onClose} onDone={onDone} />}
  </EditDialog>
)

function PolicyForm({
  before,
  etag,
  onClose,
  onDone,
}: {
  before: Policy | undefined
  etag: string | undefined
  onClose: () => void
  onDone: () => unknown
}) {
  const [policy, setPolicy] = useState(before ?? NEW)
  const [seen, setSeen] = useState<{ of: string; preview: Preview }>()
  const { dataset, ...counts } = policy
  const text = JSON.stringify(policy)
  const fresh = seen?.of === text ? seen : undefined
  const path = one('snapshot-policies', dataset)
  const set = (change: Partial<Policy>) => setPolicy((now) => ({ ...now, ...change }))
  const query = new URLSearchParams(Object.entries(counts).map(([name, value]) => [name, String(value)]))
  const look = useAction(async () => {
    setSeen({ of: text, preview: await call<Preview>('GET', `${path}/preview?${query}`) })
  })
  const save = useAction(async () => {
    if (before) await call('PUT', path, { json: counts, ...ifMatch(etag) })
    else await call('POST', '/api/v1/snapshot-policies', { json: policy })
    await onDone()
  })
  return (
    <>
      <Form action={fresh ? save : look} submit={fresh ? 'Save policy' : 'Preview'} cancel={onClose}>
        {before ? null : (
          <DatasetField
            label="Dataset"
            name="dataset"
            value={dataset}
            onValue={(name) => set({ dataset: name })}
            required
          />
        )}
        <fieldset>
          <legend>Snapshots to keep</legend>
          <div class="pairs">
            {TYPES.map((type) => (
              <Field
                key={type}
                name={type}
                label={EVERY[type]}
                type="number"
                min={0}
                max={10_000}
                value={String(policy[type])}
                onValue={(value) => set({ [type]: Number(value) })}
              />
            ))}
          </div>
        </fieldset>
        <Check label="Create snapshots" checked={policy.autosnap} onChecked={(autosnap) => set({ autosnap })} />
        <Check
          label="Delete the oldest snapshots beyond these numbers"
          hint="Only snapshots that a policy created; snapshots with holds or clones are kept."
          checked={policy.autoprune}
          onChecked={(autoprune) => set({ autoprune })}
        />
        <div class="task" aria-live="polite">
          {fresh ? <Shown preview={fresh.preview} /> : null}
        </div>
      </Form>
      <Curl
        lines={[
          { path: `${path}/preview?${query}` },
          before
            ? { method: 'PUT', path, json: counts }
            : { method: 'POST', path: '/api/v1/snapshot-policies', json: policy },
        ]}
      />
    </>
  )
}

const Shown = ({ preview: { take, destroy, keep } }: { preview: Preview }) => (
  <>
    <Note
      tone={destroy.length > 0 ? 'error' : 'ok'}
      title={
        destroy.length > 0
          ? `The next run deletes ${plural(destroy.length, 'snapshot')}`
          : 'The next run deletes no snapshot'
      }
    >
      <span>
        It creates {take.length === 0 ? 'no snapshot' : plural(take.length, 'snapshot')} and keeps {keep.length}{' '}
        existing ones.
      </span>
    </Note>
    <Names of={destroy} />
  </>
)
