// The note that the appliance is not responding; while it is shown, the page tries to reconnect.
import { useEffect } from '../hooks.ts'
import { connection, refreshSession } from '../session.ts'
import { useStore } from '../store.ts'
import { Note } from './layout.tsx'

/** Seconds between two attempts to reconnect. */
const RETRY = 3

export function ConnectionLost() {
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
