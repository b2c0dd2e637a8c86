// The entry point of the page: sign-in or first run, then the console; at /docs the API manual.
import { render } from 'hono/jsx/dom'
import { Frame } from './frame.tsx'
import { useEffect } from './hooks.ts'
import { ConnectionLost } from './kit/connection-lost.tsx'
import { Manual } from './manual/manual.tsx'
import { FirstRun } from './pages/first-run.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { PAGES } from './pages.ts'
import { connection, leaving, refreshSession, session } from './session.ts'
import { useStore } from './store.ts'

/** Seconds between two checks that the session still exists. */
const CHECK = 60

function Console() {
  const state = useStore(session)
  const reached = useStore(connection)
  const left = useStore(leaving)
  useEffect(() => {
    void refreshSession()
    const timer = setInterval(() => void refreshSession(), CHECK * 1000)
    return () => clearInterval(timer)
  }, [])
  if (reached === 'asking') return <p class="sign-in muted">Loading…</p>
  if (state.version === '') return <ConnectionLost />
  if (left) return <p class="sign-in muted">Signing out…</p>
  if (state.first_run) return <FirstRun {...state.first_run} />
  return state.session ? <Frame key={state.session.csrf} pages={PAGES} /> : <SignIn />
}

const root = document.getElementById('console')
if (root) {
  root.textContent = ''
  render(location.pathname === '/docs' ? <Manual /> : <Console />, root)
}
