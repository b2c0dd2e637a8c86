// GET /console/tasks, GET /console/tasks/{id}, and their events. The console has its own, because tasks exist even
// where the controller is off.
import * as z from 'zod'
import { notFound, raise } from '../../errors.ts'
import { viewTask } from '../../features/jobs/about.ts'
import { settled } from '../../features/jobs/view.ts'
import { EVENTS_TYPE, events, JSON_TYPE, json } from '../../http/reply/reply.ts'
import { define, PREFIX, TAG } from './context.ts'

const COLLECTION = `${PREFIX}/tasks`
const ONE = `${COLLECTION}/{id}`
const MOST = 100

const params = z.strictObject({ id: z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'Not a task id') })
const Offset = /^[0-9]{1,15}$/
const noTask = () => notFound('There is no such task')

export const listTasks = define({
  method: 'GET',
  path: COLLECTION,
  id: 'listTasks',
  tag: TAG,
  summary: 'List the newest tasks',
  permission: 'viewer',
  response: JSON_TYPE,
  handle: async (_call, { taskEvents }) => json((await taskEvents.all()).slice(0, MOST)),
})

export const getTask = define({
  method: 'GET',
  path: ONE,
  id: 'getTask',
  tag: TAG,
  summary: 'Show one task',
  permission: 'viewer',
  params,
  response: JSON_TYPE,
  errors: [404],
  handle: async ({ params: { id } }, { tasks, folders }) =>
    json(viewTask(folders, (await settled(tasks, id)) ?? raise(noTask()))),
})

export const followTask = define({
  method: 'GET',
  path: `${ONE}/events`,
  id: 'followTask',
  tag: TAG,
  summary: 'Follow a task and its log, as server-sent events',
  permission: 'viewer',
  params,
  query: z.object({ offset: z.string().regex(Offset, 'Expected a number of bytes, at most 15 digits').optional() }),
  response: EVENTS_TYPE,
  errors: [404, 503],
  handle({ params: { id }, query, lastEventId, principal }, { tasks, taskLogs, sessions }) {
    if (!tasks.get(id)) throw noTask()
    // After a reconnection the last received position overrides the one in the URL.
    const from = Offset.test(lastEventId ?? '') ? lastEventId : query['offset']
    const may = () => sessions.get(principal?.session?.id ?? '') !== undefined
    return events(taskLogs.follow(id, Number(from ?? 0), may))
  },
})

export const followTasks = define({
  method: 'GET',
  path: `${PREFIX}/events`,
  id: 'followTasks',
  tag: TAG,
  summary: 'Follow every change of every task, as server-sent events',
  permission: 'viewer',
  response: EVENTS_TYPE,
  errors: [503],
  handle: ({ principal, lastEventId }, { taskEvents, sessions }) =>
    events(taskEvents.open(lastEventId, () => sessions.get(principal?.session?.id ?? '') !== undefined)),
})

export const tasksEndpoints = [listTasks, getTask, followTask, followTasks]
