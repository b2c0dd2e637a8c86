// POST and GET /settings, POST and GET /storage: JSON documents sent as files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { locked, notFound, raise } from '../../errors.ts'
import { publicStorage, readStorage } from '../../features/persistent-storage/storage.ts'
import { TYPES } from '../../features/persistent-storage/types.ts'
import { readSettings, storedSettings } from '../../features/settings/settings.ts'
import { decodeDocument } from '../../features/settings/upload/document.ts'
import { etc, type Folders } from '../../folders.ts'
import type { Call } from '../../http/endpoint.ts'
import { longPoll, Wait } from '../../http/reply/long-poll.ts'
import { json, jsonText } from '../../http/reply/reply.ts'
import { readEdited, readJson, readText } from '../../store/atomic.ts'
import type { Tasks } from '../../tasks/tasks.ts'
import { begins, define, PREFIX } from './context.ts'
import { Accepted, accepted, fileMissing } from './shapes.ts'

const FILE = {
  settings: {
    kind: 'file',
    required: true,
    description: 'JSON settings file',
    limit: ({ limits }: { limits: { settings: number } }) => limits.settings,
  },
} as const
const SETTINGS = `${PREFIX}/settings`
const STORAGE = `${PREFIX}/storage`
const BUSY = 'Only one settings update can run at any given time'

const noSettings = () => notFound('', { words: 'No settings have been saved yet' })

/** A file that people may have edited. An unreadable file is shown as an empty one, as in the original. */
function readStored(folders: Folders, name: string): string | undefined {
  try {
    return readEdited(etc(folders, name))
  } catch {
    return ''
  }
}

/** With `?wait=`, holds the answer while the change is being applied. */
const applied = (call: Call, tasks: Tasks, lock: string) =>
  longPoll(
    { read: () => call.query['wait'] !== undefined && tasks.isRunning(lock), underWay: (busy) => busy, state: String },
    call,
  )

/** The text of the uploaded document; its size was limited on arrival. */
const uploadedText = (call: Call) =>
  decodeDocument(readFileSync(call.files['settings']?.path ?? raise(fileMissing('settings'))))

export const postSettings = define({
  method: 'POST',
  path: SETTINGS,
  id: 'postSettings',
  action: 'settings.post',
  tag: 'Network',
  summary: 'Change the network and application settings',
  permission: 'administrator',
  enabled: ({ endpoints }) => endpoints.includes('settings'),
  form: FILE,
  status: 202,
  response: Accepted,
  errors: [409, 413],
  async handle(call, { tasks, mode }) {
    const settings = readSettings(uploadedText(call), mode)
    const inputs = {
      'app.json': { text: settings.appJson },
      'network.json': { text: settings.networkJson },
      'network.conf': { text: settings.networkConf },
    }
    const by = begins(call, { action: 'settings.post', target: settings.mode, path: SETTINGS })
    const task = await tasks.start('settings', { args: [settings.mode], inputs, by })
    if (!task) throw locked(BUSY)
    call.audit('settings.post', settings.mode)
    return accepted('settings')
  },
})

export const getSettings = define({
  method: 'GET',
  path: SETTINGS,
  id: 'getSettings',
  tag: 'Network',
  summary: 'Show the network and application settings',
  permission: 'administrator',
  enabled: ({ endpoints }) => endpoints.includes('settings'),
  query: Wait,
  response: z.object({ network: z.looseObject({}), app: z.looseObject({}).or(z.unknown()) }),
  errors: [404],
  async handle(call, { folders, tasks, mode }) {
    await applied(call, tasks, 'settings')
    const app = readStored(folders, 'app.json') ?? raise(noSettings())
    const network = readStored(folders, 'network.json') ?? raise(noSettings())
    return jsonText(storedSettings(app, network, mode))
  },
})

/** The storage types that the image offers; undefined if it does not list them. */
function offered(folders: Folders): string[] | undefined {
  const value = readJson(join(folders.sysconf, 'storage-options.json')) as { options?: unknown } | undefined
  return Array.isArray(value?.options) ? value.options.filter((option) => typeof option === 'string') : undefined
}

export const postStorage = define({
  method: 'POST',
  path: STORAGE,
  id: 'postStorage',
  action: 'storage.post',
  tag: 'Storage',
  summary: 'Change where data is kept from the next boot on',
  permission: 'administrator',
  enabled: ({ endpoints }) => endpoints.includes('storage'),
  form: FILE,
  status: 202,
  response: Accepted,
  errors: [409, 413],
  async handle(call, { tasks, mode, folders }) {
    const storage = readStorage(uploadedText(call), mode, offered(folders), readStored(folders, 'storage.json'))
    const inputs = { 'storage.json': { text: storage.storageJson }, 'storage.conf': { text: storage.storageConf } }
    const by = begins(call, { action: 'storage.post', target: '', path: STORAGE })
    const task = await tasks.start('storage', { inputs, by })
    if (!task) throw locked(BUSY)
    call.audit('storage.post', '')
    return accepted('storage')
  },
})

export const getStorage = define({
  method: 'GET',
  path: STORAGE,
  id: 'getStorage',
  tag: 'Storage',
  summary: 'Show where data is kept, and what this image offers',
  permission: 'administrator',
  enabled: ({ endpoints }) => endpoints.includes('storage'),
  query: Wait,
  response: z.looseObject({ options: z.array(z.string()) }),
  errors: [404],
  async handle(call, { folders, tasks, mode }) {
    await applied(call, tasks, 'storage')
    const stored = readJson(etc(folders, 'storage.json'))
    const isListed = readText(join(folders.sysconf, 'storage-options.json')) !== undefined
    // Without that list the original shows nothing, even right after a POST was accepted.
    if (!isListed && mode === 'original') throw notFound()
    const options = isListed ? (offered(folders) ?? ['local']) : Object.keys(TYPES)
    if (stored === undefined) throw notFound('', { words: 'No storage has been configured yet' })
    return json(publicStorage(stored, options, mode), 200, { 'Cache-Control': 'no-cache' })
  },
})

export const settingsEndpoints = [postSettings, getSettings, postStorage, getStorage]
