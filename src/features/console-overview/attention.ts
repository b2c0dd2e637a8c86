// Builds the overview's list of what needs attention, from facts that other features have collected. Its readers do not
// know the appliance, so each entry says what is wrong, what to do, and where.
import type { ServedCertificate } from '../certs/served.ts'
import { type Finding, isWrong } from '../check/finding.ts'
import type { Problem } from '../dashboard/dashboard.ts'
import type { JobView } from '../jobs/view.ts'

/** A task as it is judged here. */
export interface TaskFacts extends JobView {
  /** It was refused: the user has been told, and nothing is broken. */
  refused?: true
}

export interface Attention {
  severity: 'warning' | 'error'
  subject: string
  message: string
  /** One sentence: what to do. */
  mend: string
  /** The page where it is done; empty where it is done on the appliance itself. */
  link: string
}

export interface PoolFacts {
  name: string
  health: string
  /** ZFS has found data in it that it cannot repair. */
  damaged?: boolean
  /** Bytes. */
  size: number
  allocated: number
  free: number
}

export interface DiskFacts {
  id: string
  /** The kernel’s name and the serial number. */
  name: string
  failing: boolean
  problems: readonly string[]
  /** Degrees Celsius, if that is too much. */
  hot?: number | undefined
}

export interface Facts {
  /** Milliseconds since 1970. */
  now: number
  pools: readonly PoolFacts[]
  disks: readonly DiskFacts[]
  /** Pools whose scheduled scrub was missed for a whole period. */
  missedScrubs: readonly string[]
  /** Percent of the data's file system; undefined where it cannot be asked. */
  disk: number | undefined
  /** What the port serves; undefined without TLS. */
  certificate: ServedCertificate | undefined
  /** The newest first. */
  tasks: readonly TaskFacts[]
  /** Whether the administrator still has the password of the first start. */
  oneTime: boolean
  /** What could not be asked. */
  problems: readonly Problem[]
  /** What is set up and not served. */
  unserved: readonly Problem[]
  /** Undefined where they cannot be asked. */
  services: readonly { name: string; running: boolean }[] | undefined
  /** What `edge-admin check` would find. */
  findings: readonly Finding[]
}

/** Percent. */
const NEARLY_FULL = 90
const FULL = 97
const DAY = 86_400_000
const SOON = 30 * DAY
const RECENT = 7 * DAY

/** Errors first, and before all others the pools: what is lost with them does not come back. */
export function attention(facts: Facts): Attention[] {
  const worstFirst = facts.pools.toSorted((a, b) => Number(isDegraded(a)) - Number(isDegraded(b)))
  const all = [
    ...worstFirst.flatMap(poolHealth),
    ...facts.pools.flatMap(poolDamage),
    ...facts.disks.flatMap(diskHealth),
    ...facts.missedScrubs.map(missedScrub),
    ...facts.pools.flatMap((pool) => poolSpace(pool)),
    ...dataSpace(facts.disk),
    ...certificateDates(facts),
    ...failedTasks(facts),
    ...(facts.oneTime ? [ONE_TIME] : []),
    ...(facts.services?.flatMap(stoppedService) ?? [UNKNOWN_SERVICES]),
    ...facts.problems.map(unasked),
    ...facts.unserved.map(notServed),
    ...facts.findings.filter(isWrong).flatMap(checked),
  ]
  return [...all.filter(({ severity }) => severity === 'error'), ...all.filter(({ severity }) => severity !== 'error')]
}

const poolLink = (name: string) => `#/pools/${encodeURIComponent(name)}`

const isDegraded = ({ health }: PoolFacts) => health === 'DEGRADED'

function poolHealth(pool: PoolFacts): Attention[] {
  const { name, health } = pool
  if (health === 'ONLINE') return []
  const degraded = isDegraded(pool)
  return [
    {
      severity: 'error',
      subject: `Pool ${name}`,
      message: degraded
        ? 'It is degraded: it works, but with fewer disks than it should'
        : `It is ${health.toLowerCase()}`,
      mend: degraded
        ? 'Find out which disk is missing or faulted, and replace it.'
        : 'Check its disks and cables, and the state of each disk on the pool’s page.',
      link: poolLink(name),
    },
  ]
}

/** Also of one whose disks are all well. */
const poolDamage = ({ name, damaged }: PoolFacts): Attention[] =>
  damaged
    ? [
        {
          severity: 'error',
          subject: `Pool ${name}`,
          message: 'It contains damaged data that cannot be repaired',
          mend: 'List the damaged files with `zpool status -v`, restore them from a backup or a snapshot, and scrub the pool.',
          link: poolLink(name),
        },
      ]
    : []

function diskHealth({ id, name, failing, problems, hot }: DiskFacts): Attention[] {
  const common = { subject: `Disk ${name}`, link: `#/disks/${encodeURIComponent(id)}` }
  const [first] = problems
  return [
    ...(first === undefined
      ? []
      : [
          {
            ...common,
            severity: failing ? ('error' as const) : ('warning' as const),
            message: first,
            mend: failing ? 'Replace the disk soon.' : 'Run a long self-test, and replace the disk if more is found.',
          },
        ]),
    ...(hot === undefined
      ? []
      : [
          {
            ...common,
            severity: 'warning' as const,
            message: `It is ${hot} °C warm`,
            mend: 'Check the fans and the flow of air.',
          },
        ]),
  ]
}

const missedScrub = (pool: string): Attention => ({
  severity: 'warning',
  subject: `Pool ${pool}`,
  message: 'Its scheduled scrub was missed',
  mend: 'Start a scrub, or see in the audit log why it did not start.',
  link: poolLink(pool),
})

function space(used: number): { severity: Attention['severity']; message: string } | undefined {
  if (used < NEARLY_FULL) return undefined
  return { severity: used >= FULL ? 'error' : 'warning', message: `${Math.floor(used)} % of its space is used` }
}

function poolSpace({ name, size, allocated }: PoolFacts): Attention[] {
  const full = size > 0 ? space((allocated / size) * 100) : undefined
  const mend = 'Remove snapshots and data that are not needed.'
  return full ? [{ ...full, subject: `Pool ${name}`, mend, link: poolLink(name) }] : []
}

function dataSpace(used: number | undefined): Attention[] {
  const full = used === undefined ? undefined : space(used)
  const mend = 'Delete the backup once you have downloaded it, and remove data that is not needed.'
  return full ? [{ ...full, subject: 'Data disk', mend, link: '#/support' }] : []
}

function certificateDates({ certificate, now }: Facts): Attention[] {
  if (!certificate) return []
  const [begins, ends] = [Date.parse(certificate.not_before), Date.parse(certificate.not_after)]
  const common = { subject: 'Certificate', link: '#/certificates' }
  if (now < begins)
    return [
      {
        ...common,
        severity: 'error',
        message: `It is not valid before ${certificate.not_before.slice(0, 10)}`,
        mend: 'Check the clock of the appliance, or install another certificate.',
      },
    ]
  const mend = 'Install a new certificate.'
  if (now >= ends)
    return [{ ...common, severity: 'error', message: `It expired on ${certificate.not_after.slice(0, 10)}`, mend }]
  if (ends - now >= SOON) return []
  const days = Math.floor((ends - now) / DAY)
  const message = days === 0 ? 'It expires within a day' : `It expires in ${days} ${days === 1 ? 'day' : 'days'}`
  return [{ ...common, severity: 'warning', message, mend }]
}

/**
 * The newest task of each kind, unless it was refused, which says nothing about the previous one. An entry disappears
 * after a success, or after a week.
 */
function failedTasks({ tasks, now }: Facts): Attention[] {
  const seen = new Set<string>()
  return tasks.flatMap((task) => {
    // A task that has not ended does not replace the previous outcome yet.
    if (seen.has(task.type) || task.refused || task.status === 'pending' || task.status === 'running') return []
    seen.add(task.type)
    const recent = now - Date.parse(task.completed_at ?? task.created_at) < RECENT
    if (task.status !== 'failed' || !recent) return []
    return [
      {
        severity: 'warning' as const,
        subject: `Task ${task.type}`,
        message: `The last one failed: ${task.error ?? task.message}`,
        mend: MENDS[task.type] ?? 'Read its log, fix the cause, and start it again.',
        link: `#/tasks/${encodeURIComponent(task.id)}`,
      },
    ]
  })
}

const NEXT_RUN = 'Read its log and fix the cause; the next run of the policy tries it again.'
const MENDS: Readonly<Record<string, string>> = {
  update: 'Read its log, check which version is installed now, and upload the package again.',
  'snapshot.create': NEXT_RUN,
  'snapshot.prune': NEXT_RUN,
  reboot: 'Read its log, and restart the appliance on site if it does not come back.',
}

const ONE_TIME: Attention = {
  severity: 'warning',
  subject: 'Account admin',
  message: 'It still has the one-time password from the first start',
  mend: 'Sign in as admin and change the password.',
  link: '#/account',
}

const stoppedService = ({ name, running }: { name: string; running: boolean }): Attention[] =>
  running
    ? []
    : [
        {
          severity: 'warning',
          subject: `Service ${name}`,
          message: 'It is not running',
          mend: 'Read the logs, and restart the appliance if the service does not come back.',
          link: '#/support',
        },
      ]

const UNKNOWN_SERVICES: Attention = {
  severity: 'warning',
  subject: 'Services',
  message: 'Their state cannot be determined',
  mend: 'See the reason in the log of Edge Admin, and run `edge-admin check` on the appliance.',
  link: '#/support',
}

const unasked = ({ source, message }: Problem): Attention => ({
  severity: 'warning',
  subject: `Storage: ${source}`,
  message: `Its state could not be read: ${message}`,
  mend: 'The information about it is incomplete until its program responds.',
  link: `#/${source}`,
})

const notServed = ({ source, message }: Problem): Attention => ({
  severity: 'warning',
  subject: `Storage: ${source}`,
  message,
  mend: 'It is retried every minute; remove what should not come back.',
  link: `#/${source}`,
})

const PAGES: Readonly<Record<string, string>> = { certificate: '#/certificates', license: '#/license' }
/** The dates of the certificate that is served are told by themselves. */
const TOLD = ['certificate.early', 'certificate.ended', 'certificate.ends-soon']

const checked = ({ id, level, subject, message, mend }: Finding): Attention[] =>
  TOLD.includes(id)
    ? []
    : [
        {
          severity: level === 'error' ? 'error' : 'warning',
          subject,
          message,
          mend,
          link: PAGES[id.split('.')[0] ?? ''] ?? '',
        },
      ]
