// One call, folded until it is opened, so that a hundred of them render quickly.
import { useEffect, useState } from '../hooks.ts'
import { Badge, type Tone } from '../kit/layout.tsx'
import { link } from '../router.ts'
import { isDownload, type Operation, type Schema } from './openapi.ts'
import { SchemaView } from './schema.tsx'
import { words } from './schema-text.ts'
import { Try } from './try.tsx'

const TONES: Record<string, Tone> = { GET: 'ok', POST: 'busy', PUT: 'warning', DELETE: 'error' }

const WHO: Record<string, string> = {
  public: 'Anyone may call it.',
  'set-up': 'Anyone while the appliance is not set up; afterwards administrators.',
  viewer: 'Viewers, operators and administrators.',
  operator: 'Operators and administrators.',
  administrator: 'Administrators.',
}

export function OperationView({
  operation,
  error,
  named,
}: {
  operation: Operation
  error: Schema | undefined
  /** The address of the page names this call. */
  named: boolean
}) {
  const [open, setOpen] = useState(named)
  useEffect(() => {
    if (named) setOpen(true)
  }, [named])
  const { id, method, path, summary } = operation
  return (
    <details
      class="operation"
      id={`call-${id}`}
      open={open}
      onToggle={(event: Event) => setOpen((event.currentTarget as HTMLDetailsElement).open)}
    >
      <summary>
        <Badge tone={TONES[method] ?? 'quiet'}>{method}</Badge> <code>{path}</code> <span>{summary}</span>
      </summary>
      {open ? <Body operation={operation} error={error} /> : null}
    </details>
  )
}

function Body({ operation, error }: { operation: Operation; error: Schema | undefined }) {
  const { id, description, permission, parameters, form, body, answers, refusals } = operation
  return (
    <div class="body">
      {description ? <p>{description}</p> : null}
      <p class="muted">
        {WHO[permission] ?? permission} <a href={link('call', id)}>Link to this call</a>
      </p>
      {parameters.length > 0 ? (
        <section>
          <h4>Parameters</h4>
          <ul class="members">
            {parameters.map(({ name, in: place, required, description, schema }) => (
              <li key={name}>
                <code>{name}</code>{' '}
                <span class="muted">
                  {words(schema)}, in the {place}
                  {required ? '' : ', optional'}
                </span>
                {(description ?? schema.description) ? <p>{description ?? schema.description}</p> : null}
              </li>
            ))}
          </ul>
        </section>
      ) : null}
      {(form ?? body) ? (
        <section>
          <h4>Request: {form ? 'multipart form' : 'JSON'}</h4>
          <SchemaView schema={form ?? body ?? {}} />
        </section>
      ) : null}
      <section>
        <h4>Responses</h4>
        {answers.map(({ status, description, type, schema }) => (
          <div key={status + type}>
            <p>
              <strong>{status}</strong> {description} {type ? <code>{type}</code> : null}
            </p>
            {schema ? <SchemaView schema={schema} optional /> : null}
          </div>
        ))}
        {refusals.length > 0 ? (
          <details>
            <summary>Refused with {refusals.join(', ')}</summary>
            {error ? <SchemaView schema={error} /> : null}
          </details>
        ) : null}
      </section>
      <Try key={id} operation={operation} download={isDownload(operation)} />
    </div>
  )
}
