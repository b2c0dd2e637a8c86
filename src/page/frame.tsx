// What is around every page: the bar, the list of pages, the sign of running tasks, a lost connection.
import { call } from './api.ts'
import { useEffect, useState } from './hooks.ts'
import { Button } from './kit/button.tsx'
import { plural } from './kit/format.ts'
import { type Children, Note } from './kit/layout.tsx'
import { GROUPS, pageOf, visible, whyHidden } from './pages.ts'
import { link, place } from './router.ts'
import { connection, farewell, leaving, refreshSession, session } from './session.ts'
import { useStore } from './store.ts'
import { running, watchTasks } from './tasks.ts'
import { uploads } from './uploads.ts'

/** Seconds between two questions while the appliance does not answer. */
const RETRY = 3

export function Frame() {
  const { page, rest } = useStore(place)
  const { session: own } = useStore(session)
  const [open, setOpen] = useState(false)
  useEffect(() => watchTasks(), [own?.csrf])
  useEffect(() => setOpen(false), [page, rest.join('/')])
  const entry = pageOf(page)
  const Content = entry?.Content
  return (
    <div class="frame">
      <button type="button" class="skip" onClick={skip}>
        Skip to content
      </button>
      <header class="bar">
        <a class="brand" href={link('overview')}>
          <img src="/console/icon.svg" alt="" />
          <span>Edge Admin</span>
        </a>
        <button
          type="button"
          class="menu"
          aria-expanded={open ? 'true' : 'false'}
          aria-controls="pages"
          onClick={() => setOpen(!open)}
        >
          Pages
        </button>
        <span class="space" />
        <UploadSign />
        <RunningSign />
        <span class="muted who">
          {own?.name} ({own?.role})
        </span>
        <Button kind="quiet" onClick={() => void signOut()}>
          Sign out
        </Button>
      </header>
      <nav id="pages" class={open ? 'pages open' : 'pages'} aria-label="Pages">
        {GROUPS.map((group) => {
          const entries = visible(group)
          return entries.length === 0 ? null : (
            <section key={group}>
              <h2>{group}</h2>
              <ul>
                {entries.map(({ name, title }) => (
                  <li key={name}>
                    <a href={link(name)} aria-current={name === page ? 'page' : undefined}>
                      {title}
                    </a>
                  </li>
                ))}
              </ul>
            </section>
          )
        })}
      </nav>
      <main id="content" tabindex={-1}>
        <Lost />
        {own?.one_time && own.via === 'account' && page !== 'account' ? (
          <Note tone="warning">
            <span>
              You still use the one-time password from the first start. <a href={link('account')}>Change it</a>.
            </span>
          </Note>
        ) : null}
        {Content ? <Content key={`${page}/${rest.join('/')}`} rest={rest} /> : <Nowhere name={page} />}
      </main>
    </div>
  )
}

/** Not by a link: the address is where the page's place is kept. */
const skip = () => document.getElementById('content')?.focus()

async function signOut(): Promise<void> {
  leaving.set(true)
  farewell.set('You are signed out.')
  try {
    await call('DELETE', '/console/session')
  } catch {
    // It has ended already, or cannot be reached: what is true is asked.
  }
  await refreshSession()
  leaving.set(false)
}

/** Of what is being sent, or was refused behind somebody's back. */
function UploadSign() {
  const all = useStore(uploads)
  return (
    <span>
      {all.map(({ path, what, page, done, total, failure }) => (
        <a
          key={path}
          class={failure ? 'badge error' : 'badge busy'}
          href={link(page)}
          aria-label={`${what}: ${failure ? 'upload failed' : 'uploading'}`}
        >
          {failure ? 'Upload failed' : total > 0 ? `Upload ${Math.floor((100 * done) / total)}%` : 'Upload'}
        </a>
      ))}
    </span>
  )
}

function RunningSign() {
  const tasks = useStore(running)
  return (
    <span role="status" aria-live="polite">
      {tasks.length > 0 ? (
        <a class="badge busy" href={link('tasks')}>
          {plural(tasks.length, 'task')}
          <span> running</span>
        </a>
      ) : null}
    </span>
  )
}

export function Lost() {
  const state = useStore(connection)
  useEffect(() => {
    if (state !== 'lost') return
    const timer = setInterval(() => void refreshSession(), RETRY * 1000)
    return () => clearInterval(timer)
  }, [state])
  return state === 'lost' ? (
    <Note tone="warning" title="The appliance is not responding">
      Trying to reconnect every few seconds. Tasks that were started on the appliance continue.
    </Note>
  ) : null
}

/** A page that is there for others is not called unknown: somebody sent its address, and it is right. */
function Nowhere({ name }: { name: string }) {
  const reason = whyHidden(name)
  return (
    <Note title={reason === undefined ? 'Page not found' : 'You cannot open this page'}>
      {reason === undefined ? null : <span>{reason}</span>}
      <a href={link('overview')}>Go to the overview</a>
    </Note>
  )
}

export interface PageProps {
  rest: string[]
}
export type Content = (props: PageProps) => Children
