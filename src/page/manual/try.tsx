// Sends a call with the session of the page and shows the response. It reaches the real appliance, so changes ask for
// confirmation, and calls that the role does not allow are not offered.
import { useRef } from 'hono/jsx/dom'
import { Failure } from '../api.ts'
import { useEffect, useState } from '../hooks.ts'
import { Button } from '../kit/button.tsx'
import { curlLine } from '../kit/curl.tsx'
import { Confirm } from '../kit/dialog.tsx'
import { Field, FileField, Select, TextArea } from '../kit/fields.tsx'
import { Form } from '../kit/form.tsx'
import { Note } from '../kit/layout.tsx'
import { useAction } from '../query.ts'
import { hasController, may, type Role, session } from '../session.ts'
import { useStore } from '../store.ts'
import { AnswerView, type Received, receive } from './answer.tsx'
import { bodyText, headersOf, isFile, keyOf, missing, pathOf, type Values } from './call.ts'
import { changes, type Operation, type Parameter } from './openapi.ts'

export function Try({ operation, download }: { operation: Operation; download: boolean }) {
  const { session: own } = useStore(session)
  const { permission, path } = operation
  const isAdmin = path.startsWith('/api/v1/admin')
  if (!own)
    return (
      <Note>
        <span>
          <a href="/">Sign in</a> in the console to send this call from here.
        </span>
      </Note>
    )
  const role = permission === 'set-up' ? 'administrator' : permission
  if (role !== 'public' && !may(role as Role)) return <Note>Your role, {own.role}, does not allow this call.</Note>
  if (role !== 'public' && !isAdmin && !hasController())
    return <Note>You are signed in with the API token; this call requires an account.</Note>
  return <Sender operation={operation} download={download} />
}

function Sender({ operation, download }: { operation: Operation; download: boolean }) {
  const { method, parameters, form, body } = operation
  const [values, setValues] = useState<Values>({})
  const [files, setFiles] = useState<Record<string, File | undefined>>({})
  const [text, setText] = useState(() => (body ? bodyText(body) : ''))
  const [asking, setAsking] = useState(false)
  const [received, setReceived] = useState<Received>()
  const stop = useRef<AbortController>(null)
  useEffect(() => () => stop.current?.abort(), [])

  const path = pathOf(operation, values)
  const headers = headersOf(operation, values)
  const empty = missing(operation, values)
  const parts = Object.entries(form?.properties ?? {})
  const put = (name: string) => (value: string) => setValues((now) => ({ ...now, [name]: value }))

  const send = useAction(async () => {
    const data = new FormData()
    for (const [name, part] of parts) {
      const value = isFile(part) ? files[name] : values[`form ${name}`]
      if (value) data.append(name, value)
    }
    setAsking(false)
    setReceived(undefined)
    stop.current = new AbortController()
    await receive(
      { method, path, headers: body ? { ...headers, 'Content-Type': 'application/json' } : headers },
      form ? data : body ? text : undefined,
      stop.current.signal,
      setReceived,
    )
  })
  const begin = useAction(async () => {
    if (body) checkJson(text)
    if (changes(operation)) setAsking(true)
    else void send.run()
  })
  const line = curlLine({
    method,
    path,
    headers,
    ...(body && { json: parsed(text) }),
    ...(form && {
      form: Object.fromEntries(
        parts
          .map(([name, part]) => [
            name,
            isFile(part) ? `@${files[name]?.name ?? 'FILE'}` : (values[`form ${name}`] ?? ''),
          ])
          .filter(([name, value]) => value !== '' || form.required?.includes(name ?? '')),
      ),
    }),
    ...(download && { output: path.split('/').at(-1) ?? 'file' }),
  })
  return (
    <section class="try">
      <h4>Try it</h4>
      <Form action={begin} submit={download ? 'Show response headers' : `Send ${method}`}>
        {parameters.map((one) => (
          <ParameterField key={keyOf(one)} parameter={one} value={values[keyOf(one)] ?? ''} onValue={put(keyOf(one))} />
        ))}
        {parts.map(([name, part]) =>
          isFile(part) ? (
            <FileField
              key={name}
              label={name}
              hint={part.description}
              file={files[name]}
              name={name}
              required={form?.required?.includes(name) ?? false}
              onFile={(file) => setFiles((now) => ({ ...now, [name]: file }))}
            />
          ) : (
            <Field
              key={name}
              label={name}
              hint={part.description}
              value={values[`form ${name}`] ?? ''}
              name={name}
              onValue={put(`form ${name}`)}
              autocomplete="off"
            />
          ),
        )}
        {body ? (
          <TextArea
            label="Body, JSON"
            value={text}
            onValue={setText}
            rows={Math.min(16, text.split('\n').length + 1)}
          />
        ) : null}
      </Form>
      {download && empty.length === 0 ? (
        <p>
          <a class="button" href={path} download>
            Download file
          </a>
        </p>
      ) : null}
      {received || send.failure ? (
        <AnswerView received={received} failure={send.failure} busy={send.busy} onStop={() => stop.current?.abort()} />
      ) : send.busy ? (
        <div class="actions">
          <span role="status">Waiting for the response…</span>
          <Button onClick={() => stop.current?.abort()}>Stop waiting</Button>
        </div>
      ) : null}
      <h4>With curl</h4>
      <pre class="block" tabindex={0}>
        {line}
      </pre>
      {asking ? (
        <Confirm
          title={`Send this ${method}?`}
          submit={`Send ${method}`}
          action={send}
          onClose={() => setAsking(false)}
        >
          <p>
            It is carried out on this appliance, as you: <code>{`${method} ${path}`}</code>
          </p>
        </Confirm>
      ) : null}
    </section>
  )
}

function ParameterField({
  parameter: { name, in: place, schema, required },
  value,
  onValue,
}: {
  parameter: Parameter
  value: string
  onValue: (value: string) => void
}) {
  const label = `${name} (${place})`
  if (schema.enum)
    return (
      <Select
        label={label}
        value={value}
        onValue={onValue}
        required={required ?? false}
        options={[
          ['', required ? 'choose one' : 'left out'],
          ...schema.enum.map((one): [string, string] => [String(one), String(one)]),
        ]}
      />
    )
  const example = schema.example ?? schema.default
  return (
    <Field
      label={label}
      value={value}
      onValue={onValue}
      required={required ?? false}
      placeholder={example === undefined ? undefined : String(example)}
      autocomplete="off"
    />
  )
}

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return {}
  }
}

function checkJson(text: string): void {
  try {
    JSON.parse(text)
  } catch (error) {
    throw new Failure(0, `The body is not JSON: ${error instanceof Error ? error.message : error}`)
  }
}
