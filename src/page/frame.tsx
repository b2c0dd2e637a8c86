// The frame around every page: header, navigation, badges of running tasks and uploads, and a note when the connection is lost.
import { call } from './api.ts'
import { useEffect, useState } from './hooks.ts'
import { Button } from './kit/button.tsx'
import { ConnectionLost } from './kit/connection-lost.tsx'
import { plural } from './kit/format.ts'
import { Note } from './kit/layout.tsx'
import { type Entry, GROUPS, pageOf, visible, whyHidden } from './page-list.ts'
import { link, place } from './router.ts'
import { leaving, refreshSession, session, signInNotice } from './session.ts'
import { useStore } from './store.ts'
import { running, watchTasks } from './tasks.ts'
import { uploads } from './uploads.ts'

export function Frame({ pages }: { pages: readonly Entry[] }) {
  const { page, rest } = useStore(place)
  const { session: own } = useStore(session)
  const [open, setOpen] = useState(false)
  useEffect(() => watchTasks(), [own?.csrf])
  useEffect(() => setOpen(false), [page, rest.join('/')])
  const entry = pageOf(pages, page)
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
          const entries = visible(pages, group)
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
        <ConnectionLost />
        {own?.one_time && own.via === 'account' && page !== 'account' ? (
          <Note tone="warning">
            <span>
              You still use the one-time password from the first start. <a href={link('account')}>Change it</a>.
            </span>
          </Note>
        ) : null}
        {Content ? (
          <Content key={`${page}/${rest.join('/')}`} rest={rest} />
        ) : (
          <PageNotFound pages={pages} name={page} />
        )}
      </main>
    </div>
  )
}

/** A button, not a link: the part after # in the address names the page. */
const skip = () => document.getElementById('content')?.focus()

async function signOut(): Promise<void> {
  leaving.set(true)
  signInNotice.set('You are signed out.')
  try {
    await call('DELETE', '/console/session')
  } catch {
    // Already ended, or the appliance is unreachable: refreshSession finds out which.
  }
  await refreshSession()
  leaving.set(false)
}

/** Uploads that are running, or that failed while another page was open. */
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

/** A page that exists for other roles is not called unknown: its address may have been sent by somebody who can open it. */
function PageNotFound({ pages, name }: { pages: readonly Entry[]; name: string }) {
  const reason = whyHidden(pages, name)
  return (
    <Note title={reason === undefined ? 'Page not found' : 'You cannot open this page'}>
      {reason === undefined ? null : <span>{reason}</span>}
      <a href={link('overview')}>Go to the overview</a>
    </Note>
  )
}
