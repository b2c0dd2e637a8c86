// The trim of a pool: its progress on each disk; start, suspend, continue and cancel it.
import { call } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { Badge, Card, type Children, Facts, Progress, type Tone, When } from '../../kit/layout.tsx'
import { useAction, useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'

interface Trim {
  status: 'none' | 'running' | 'paused' | 'finished' | 'unsupported'
  progress: number
  disks: {
    name: string
    status: 'unsupported' | 'none' | 'running' | 'suspended' | 'finished'
    progress: number
    at?: string
  }[]
}

const WORDS: Record<Trim['status'], [Tone, string]> = {
  none: ['quiet', 'never'],
  running: ['busy', 'running'],
  paused: ['warning', 'suspended'],
  finished: ['ok', 'finished'],
  unsupported: ['quiet', 'not supported by these disks'],
}

/** `still`: do not refresh. */
export function TrimCard({ name, still }: { name: string; still: boolean }) {
  const path = `${one('pools', name)}/trim`
  const [every, setEvery] = useState(15)
  const { data: trim, failure, reload } = useQuery<Trim>(path, still ? {} : { every })
  const runs = trim?.status === 'running'
  useEffect(() => setEvery(runs ? 2 : 15), [runs])
  const send = useAction(async (action: 'start' | 'suspend' | 'cancel') => {
    await call('POST', path, { json: { action } })
    await reload()
  })
  if (!trim)
    return <Card title="Trim">{failure ? <FailureNote failure={failure} /> : <p class="muted">Loading…</p>}</Card>
  const [tone, word] = WORDS[trim.status]
  const goesOn = runs || trim.status === 'paused'
  const button = (action: 'start' | 'suspend' | 'cancel', text: string) => (
    <Button busy={send.busy} onClick={() => void send.run(action)}>
      {text}
    </Button>
  )
  return (
    <Card
      title="Trim"
      actions={
        may('operator') && trim.status !== 'unsupported' ? (
          <>
            {runs ? button('suspend', 'Suspend trim') : button('start', goesOn ? 'Continue trim' : 'Start trim')}
            {goesOn ? button('cancel', 'Cancel trim') : null}
          </>
        ) : null
      }
    >
      <p class="muted">Tells SSDs which blocks are free (TRIM, discard). The pool can be used meanwhile.</p>
      <FailureNote failure={send.failure} />
      {goesOn ? <Progress value={trim.progress} label="Trim progress" /> : null}
      <Facts
        of={[
          ['State', <Badge tone={tone}>{word}</Badge>],
          ...trim.disks
            .filter(({ status }) => status !== 'unsupported' && status !== 'none')
            .map(({ name: disk, status, progress, at }): [string, Children] => [
              disk,
              <>
                {status === 'running' || status === 'suspended' ? (
                  <Progress value={progress} label={`Trim of ${disk}`} />
                ) : null}
                {status} {at ? <When at={at} /> : null}
              </>,
            ]),
        ]}
      />
    </Card>
  )
}
