// The page: signs in first, then shows the console; at /docs the manual of the API.
import { render } from 'hono/jsx/dom'
import { Frame, Lost } from './frame.tsx'
import { useEffect } from './hooks.ts'
import { Manual } from './manual/manual.tsx'
import { FirstRun } from './pages/first-run.tsx'
import { SignIn } from './pages/sign-in.tsx'
import { connection, leaving, refreshSession, session } from './session.ts'
import { useStore } from './store.ts'

/** Seconds between two looks at whether the session is still there. */
const LOOK = 60

function Console() {
  const state = useStore(session)
  const reached = useStore(connection)
  const left = useStore(leaving)
  useEffect(() => {
    void refreshSession()
    const timer = setInterval(() => void refreshSession(), LOOK * 1000)
    return () => clearInterval(timer)
  }, [])
  if (reached === 'asking') return <p class="door muted">Loading…</p>
  if (state.version === '') return <Lost />
  if (left) return <p class="door muted">Signing out…</p>
  if (state.first_run) return <FirstRun {...state.first_run} />
  return state.session ? <Frame key={state.session.csrf} /> : <SignIn />
}

const root = document.getElementById('console')
if (root) {
  root.textContent = ''
  render(location.pathname === '/docs' ? <Manual /> : <Console />, root)
}
