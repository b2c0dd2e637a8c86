// Who is connected to the SMB shares and what they have open, and the end of a session.
import { call, Failure } from '../../api.ts'
import { useState } from '../../hooks.ts'
import { plural } from '../../kit/format.ts'
import { Stack } from '../../kit/layout.tsx'
import { type Item, Several } from '../../kit/several.tsx'
import { useQuery } from '../../query.ts'
import { one } from '../storage/api-types.ts'
import { OpenFiles } from './files.tsx'
import { Sessions } from './sessions.tsx'
import { FILES, type OpenFile, SESSIONS, type Session, whoIs } from './types.ts'

const EVERY = 15

interface Closing {
  sessions: Item[]
  /** The file that is to be closed. */
  path?: string
}

export function Connected() {
  const sessions = useQuery<Session[]>(SESSIONS, { every: EVERY })
  const files = useQuery<OpenFile[]>(FILES, { every: EVERY })
  const [closing, setClosing] = useState<Closing>()
  const done = async () => {
    await Promise.all([sessions.reload(), files.reload()])
    setClosing(undefined)
  }
  return (
    <Stack>
      <Sessions
        query={sessions}
        onClose={(chosen) => setClosing({ sessions: chosen.map((one_) => ({ id: one_.id, name: whoIs(one_) })) })}
      />
      <OpenFiles
        query={files}
        onClose={(file, id) => setClosing({ sessions: [{ id, name: whoIs(file) }], path: file.path })}
      />
      {closing ? (
        <CloseSessions closing={closing} files={files.data ?? []} onClose={() => setClosing(undefined)} onDone={done} />
      ) : null}
    </Stack>
  )
}

function CloseSessions({
  closing: { sessions, path },
  files,
  onClose,
  onDone,
}: {
  closing: Closing
  files: OpenFile[]
  onClose: () => void
  onDone: () => unknown
}) {
  const others = files.filter((file) => file.session === sessions[0]?.id && file.path !== path)
  const what = plural(sessions.length, 'session')
  return (
    <Several
      title={path === undefined ? `Close ${what}` : 'Close an open file'}
      submit={`Close ${what}`}
      done="closed"
      of={sessions}
      each={({ id }) => close(id)}
      onClose={onClose}
      onDone={onDone}
    >
      {path === undefined ? null : (
        <p>
          Samba closes a file only together with the session that opened it. This closes {path}
          {others.length > 0 ? ` and ${plural(others.length, 'other file')} of the session` : ''}.
        </p>
      )}
      <p>
        The connection of the client ends, and what it has not written yet is lost. It may connect again: disable the
        share or the user to keep it out.
      </p>
    </Several>
  )
}

/** A session over the same connection as another ends with it: it is closed, too. */
async function close(id: string): Promise<void> {
  try {
    await call('DELETE', one('shares/smb/sessions', id))
  } catch (error) {
    if (!(error instanceof Failure) || error.status !== 404) throw error
  }
}
