// The API manual at /docs, made from the appliance's own OpenAPI documents. Reading it needs no session; sending calls
// does.

import { useEffect, useState } from '../hooks.ts'
import { ConnectionLost } from '../kit/connection-lost.tsx'
import { Loaded } from '../kit/failure.tsx'
import { Field } from '../kit/fields.tsx'
import { plural } from '../kit/format.ts'
import { useQuery } from '../query.ts'
import { link, place } from '../router.ts'
import { refreshSession, session } from '../session.ts'
import { useStore } from '../store.ts'
import { byTag, type Document, type Operation, readSurface, search } from './openapi.ts'
import { OperationView } from './operation.tsx'

/** Seconds between two checks that the session still exists. */
const LOOK = 60

export function Manual() {
  const { controller, session: own, version } = useStore(session)
  const [text, setText] = useState('')
  useEffect(() => {
    document.title = 'API manual · Edge Admin'
    void refreshSession()
    const timer = setInterval(() => void refreshSession(), LOOK * 1000)
    return () => clearInterval(timer)
  }, [])
  return (
    <div class="manual">
      <header class="bar">
        <a class="brand" href="/">
          <img src="/console/icon.svg" alt="" />
          Edge Admin
        </a>
        <span class="space" />
        <span class="muted">{own ? `${own.name} (${own.role})` : version ? 'Not signed in' : ''}</span>
        <a href="/docs/API.html">Printable version</a>
        <a href="/">{own ? 'Console' : 'Sign in'}</a>
      </header>
      <main>
        <ConnectionLost />
        <h1>API manual</h1>
        <p class="intro">All API calls of this appliance. While you are signed in, you can send them from here.</p>
        <Field
          label="Search"
          value={text}
          onValue={setText}
          hint="Part of a path, a method or a description"
          autocomplete="off"
        />
        <SurfaceView source="/api/v1/admin/openapi.json" text={text} />
        {controller ? <SurfaceView source="/api/v1/openapi.json" text={text} /> : null}
      </main>
    </div>
  )
}

function SurfaceView({ source, text }: { source: string; text: string }) {
  const query = useQuery<Document>(source)
  return <Loaded query={query}>{(document) => <Calls document={document} source={source} text={text} />}</Loaded>
}

function Calls({ document: source, source: path, text }: { document: Document; source: string; text: string }) {
  const [{ title, description, proofs, error, operations }] = useState(() => readSurface(source))
  const { page, rest } = useStore(place)
  const named = page === 'call' ? rest[0] : undefined
  const found = byTag(search(operations, text))
  const count = found.reduce((sum, [, own]) => sum + own.length, 0)
  const isHere = operations.some(({ id, tag }) => id === named || (page === 'part' && tag === rest[0]))
  useEffect(() => {
    const element = isHere ? document.getElementById(`${page}-${rest[0]}`) : null
    element?.scrollIntoView()
    const target = element?.querySelector<HTMLElement>('summary, h3')
    target?.focus({ preventScroll: true })
  }, [page, rest[0]])
  return (
    <section class="surface">
      <h2>{title}</h2>
      <p>
        {description} <a href={path}>As OpenAPI</a>
      </p>
      <details>
        <summary>How scripts authenticate</summary>
        <ul class="members">
          {proofs.map(({ name, description }) => (
            <li key={name}>
              <code>{name}</code> <span class="muted">{description}</span>
            </li>
          ))}
        </ul>
      </details>
      <p class="muted" role="status">
        {count === operations.length
          ? plural(operations.length, 'call')
          : `${count} of ${plural(operations.length, 'call')}`}
      </p>
      <nav aria-label={`Parts of ${title}`}>
        <ul class="parts">
          {found.map(([tag]) => (
            <li key={tag}>
              <a href={link('part', tag)}>{tag}</a>
            </li>
          ))}
        </ul>
      </nav>
      {found.map(([tag, own]) => (
        <section key={tag} id={`part-${tag}`}>
          <h3 tabindex={-1}>{tag}</h3>
          {own.map((operation: Operation) => (
            <OperationView key={operation.id} operation={operation} error={error} named={operation.id === named} />
          ))}
        </section>
      ))}
    </section>
  )
}
