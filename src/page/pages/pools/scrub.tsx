// The scrub of a pool: progress, start and stop. A scrub that was started in a shell has no job, and only a job can be
// stopped from here.
import { call } from '../../api.ts'
import { useEffect, useState } from '../../hooks.ts'
import { Button } from '../../kit/button.tsx'
import { FailureNote } from '../../kit/failure.tsx'
import { bytes, plural } from '../../kit/format.ts'
import { Badge, Card, Facts, Note, Progress, type Tone, When } from '../../kit/layout.tsx'
import { useAction, useQuery } from '../../query.ts'
import { may } from '../../session.ts'
import { one } from '../storage/api-types.ts'
import type { Scan } from './types.ts'

const WORDS: Record<Scan['status'], [Tone, string]> = {
  none: ['quiet', 'never'],
  unknown: ['quiet', 'unknown'],
  running: ['busy', 'running'],
  paused: ['warning', 'paused'],
  finished: ['ok', 'finished'],
  cancelled: ['warning', 'stopped'],
}

const goesOn = ({ status }: Scan) => status === 'running' || status === 'paused'

/** Refreshed often while a scrub runs, else seldom, so that one started elsewhere shows, too. */
function useScrub(name: string, still: boolean) {
  const [every, setEvery] = useState(15)
  const query = useQuery<Scan>(`${one('pools', name)}/scrub`, still ? {} : { every })
  const moves = query.data !== undefined && (goesOn(query.data) || query.data.job !== undefined)
  useEffect(() => setEvery(moves ? 2 : 15), [moves])
  return { scan: query.data, failure: query.failure, reload: query.reload }
}

/** For the list of pools. */
export function ScrubCell({ name }: { name: string }) {
  const { scan } = useScrub(name, false)
  if (!scan) return '…'
  const [tone, word] = WORDS[scan.status]
  return goesOn(scan) ? (
    <Progress value={scan.progress} label={`Scrub of ${name}: ${word}`} />
  ) : (
    <>
      <Badge tone={tone}>{word}</Badge> {scan.last ? <When at={scan.last} /> : null}
    </>
  )
}

/** `still`: do not refresh. */
export function ScrubCard({ name, still }: { name: string; still: boolean }) {
  const { scan, failure, reload } = useScrub(name, still)
  const start = useAction(async () => {
    await call('POST', `${one('pools', name)}/scrub`)
    await reload()
  })
  const stop = useAction(async () => {
    if (scan?.job) await call('POST', `${one('jobs', scan.job)}/cancel`)
    await reload()
  })
  if (!scan)
    return <Card title="Scrub">{failure ? <FailureNote failure={failure} /> : <p class="muted">Loading…</p>}</Card>
  const [tone, word] = WORDS[scan.status]
  const on = goesOn(scan)
  const buttons = !may('operator') ? null : on ? (
    <Button
      busy={stop.busy}
      why={scan.job === undefined ? 'It was not started here: see below.' : undefined}
      onClick={() => void stop.run()}
    >
      Stop scrub
    </Button>
  ) : (
    <Button busy={start.busy} onClick={() => void start.run()}>
      Start scrub
    </Button>
  )
  return (
    <Card title="Scrub" actions={buttons}>
      <p class="muted">Reads all data and repairs what can be repaired. The pool can be used meanwhile.</p>
      <FailureNote failure={start.failure ?? stop.failure} />
      {on ? <Progress value={scan.progress} label="Scrub progress" /> : null}
      {on && scan.job === undefined ? (
        <Note>It was begun outside this appliance’s jobs: stop it with zpool scrub -s {name}.</Note>
      ) : null}
      {scan.status === 'unknown' ? (
        <Note>
          The time of the last scrub is unknown: ZFS keeps only the last scan, and that was a different one, such as a
          resilver.
        </Note>
      ) : null}
      <Facts
        of={[
          ['State', <Badge tone={tone}>{word}</Badge>],
          ['Speed', scan.speed === undefined ? undefined : `${bytes(scan.speed)}/s`],
          ['Repaired', scan.repaired === undefined ? undefined : bytes(scan.repaired)],
          ['Not repaired', scan.errors === undefined ? undefined : plural(scan.errors, 'error')],
          ['Started', scan.started_at ? <When at={scan.started_at} /> : undefined],
          ['Finished', scan.last ? <When at={scan.last} /> : undefined],
        ]}
      />
    </Card>
  )
}
