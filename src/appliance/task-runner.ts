// The appliance's tasks: how scripts are started, and what is done, counted and audited when one ends.
import type { Configuration } from '../config.ts'
import { sayNeverBegan } from '../features/installation/never-began.ts'
import { literals, maskedLine } from '../features/jobs/redact.ts'
import { secretsOf } from '../features/jobs/secrets.ts'
import { failureOf } from '../features/jobs/view.ts'
import { recordUnreportedFailure } from '../features/update/update.ts'
import type { Folders } from '../folders.ts'
import { resourceOf } from '../http/pipeline/audit.ts'
import { TaskEndings } from '../tasks/endings.ts'
import type { PendingAudit } from '../tasks/pending-audit.ts'
import type { Task } from '../tasks/task.ts'
import { Tasks } from '../tasks/tasks.ts'
import type { AuditTrail } from './audit-trail.ts'

export interface TaskRunner {
  tasks: Tasks
  endings: TaskEndings
  /** Calls `listener` for each task of this kind that ends from now on. */
  whenEnded: (kind: Task['kind'], listener: () => void) => void
}

export interface TaskRunnerOptions {
  folders: Folders
  config: Configuration
  mode: 'strict' | 'original'
  /** Folder of the task scripts. */
  scripts: string
  programs?: string | undefined
  environment?: Record<string, string> | undefined
  trail: AuditTrail
  onTaskEnd?: ((task: Task) => void) | undefined
  warn: (text: string, error?: unknown) => void
}

export function createTaskRunner(options: TaskRunnerOptions): TaskRunner {
  const { folders, config, mode, programs, environment, trail, onTaskEnd, warn } = options
  const endings = new TaskEndings()
  const listeners = new Map<string, () => void>()
  const tasks: Tasks = new Tasks({
    folders,
    scripts: options.scripts,
    privilege: config.privilege,
    wrapped: config.wrapper !== undefined,
    environment: {
      ...scriptEnvironment(config, mode),
      ...(programs !== undefined && { EDGE_PATH: programs }),
      ...environment,
    },
    longest: config.limits['task-seconds'],
    mask: (line) => maskedLine(line, literals(secretsOf(folders))),
    onEnd(task) {
      endings.add(task)
      sayNeverBegan(folders, config.label, task)
      try {
        if (task.kind === 'update') recordUnreportedFailure(folders, tasks)
        listeners.get(task.kind)?.()
      } catch (error) {
        // Under sudo these files belong to root; the API's answers do not need them.
        warn('the end of an update could not be written down', error)
      }
      onTaskEnd?.(task)
    },
    onPendingAudit: (entry, task, again) => enterEnd(trail, entry, task, again),
    warn,
  })
  return {
    tasks,
    endings,
    whenEnded: (kind, listener) => void listeners.set(kind, listener),
  }
}

/** Enters the end of a task in the audit log. `again`: a killed server may have entered it already. */
async function enterEnd({ log, chain }: AuditTrail, entry: PendingAudit, task: Task, again: boolean): Promise<void> {
  const failure = failureOf(task)
  const { event, action = event.replace(/\.success$/, ''), target, account, actor, request } = entry
  const resource = entry.resource ?? resourceOf(target)
  const isEntered = () =>
    chain
      .find({ action, resource, since: Date.parse(task.created_at), limit: 20 })
      .some((one) => one.request === request && one.actor === account)
  if (!again || !isEntered()) {
    const line = failure === undefined ? event : `${event.replace(/\.success$/, '')}.failed`
    log.write({ ...entry, event: line, action, resource, account, name: actor, failure })
  }
  await log.saved()
}

const scriptEnvironment = (config: Configuration, mode: 'strict' | 'original') => ({
  EDGE_LABEL: config.label,
  EDGE_LEGACY_MD5: config['legacy-md5'] || mode === 'original' ? '1' : '0',
  EDGE_UNPACK_LIMIT: String(config.limits.unpacked),
  EDGE_ENTRY_LIMIT: String(config.limits.entries),
  EDGE_LOG_SIZE: String(config.log.size),
  EDGE_HOOK_SECONDS: String(config.limits['hook-seconds']),
  ...(config.wrapper && { EDGE_WRAPPER: config.wrapper }),
})
