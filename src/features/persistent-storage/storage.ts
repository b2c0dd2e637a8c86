// The storage options of POST and GET /storage: validated, and rendered as the two files that the appliance reads. GET
// shows the iSCSI password as asterisks, and POST takes these to mean the stored one, so a client may send back what it
// got.
import { invalid } from '../../errors.ts'
import { shellAssignments } from '../../store/shell-file.ts'
import { isObject, type JsonObject, readDocument } from '../settings/upload/document.ts'
import { checkField, collect, type FieldError, type Mode, refuseAll, refuseUnknown } from '../settings/upload/fields.ts'
import { checkStorage, type StorageType, TYPES } from './types.ts'

export interface Storage {
  type: StorageType
  /** The texts of storage.json and storage.conf. */
  storageJson: string
  storageConf: string
}

const HIDDEN = '********'
const isType = (value: unknown): value is StorageType => typeof value === 'string' && Object.hasOwn(TYPES, value)

/**
 * Reads an uploaded storage document. `allowed` are the types of this appliance, `stored` the text of its storage.json.
 * Throws `invalid` with all errors; an empty message means the original's bare 400.
 */
export function readStorage(text: string, mode: Mode, allowed?: readonly string[], stored?: string): Storage {
  const document = readDocument(text)
  if (isObject(document) && Object.keys(document).length === 0)
    throw invalid('', { words: 'Expected an object with the member storage' })
  const storage = isObject(document) && isObject(document.storage) ? document.storage : {}
  const { type } = storage
  if (!isType(type)) throw refused('type', `Invalid option: type. Allowed: ${Object.keys(TYPES).join(', ')}`)
  const errors: FieldError[] = []
  const members: JsonObject = { ...storage }
  // A port may be a number: the original accepts it, and writes it unchanged.
  if (typeof members.port === 'number') members.port = String(members.port)
  if (mode === 'strict' && type === 'iscsi' && members.password === HIDDEN)
    members.password = collect(errors, 'password', () => storedPassword(stored)) ?? HIDDEN
  const fields = TYPES[type].map((field) => [
    field.name,
    collect(errors, field.name, () => checkField(field, members, mode)) ?? '',
  ])
  const values: Record<string, string> = { type, ...Object.fromEntries(fields) }
  if (mode === 'strict') {
    const wellSpelled = Object.entries(values).filter(([name]) => !errors.some(({ field }) => field === name))
    collect(errors, 'settings', () =>
      refuseUnknown(document as JsonObject, ['storage', 'options', 'type'], 'the document'),
    )
    collect(errors, 'storage', () => refuseUnknown(storage, Object.keys(values), 'storage'))
    collect(errors, 'type', () => checkAvailable(type, allowed))
    errors.push(...checkStorage(Object.fromEntries(wellSpelled)))
  }
  refuseAll(errors)
  const known = Object.keys(storage).filter((name) => Object.hasOwn(values, name))
  const written = known.map((name) => [name, typeof storage[name] === 'number' ? storage[name] : values[name]])
  return {
    type,
    storageJson: `${JSON.stringify({ storage: Object.fromEntries(written) })}\n`,
    storageConf: shellAssignments(known.map((name) => [name, values[name]!])),
  }
}

const refused = (field: string, message: string) => invalid(message, { details: { errors: [{ field, message }] } })

function checkAvailable(type: StorageType, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || allowed.includes(type)) return
  const here = Object.keys(TYPES).filter((name) => allowed.includes(name))
  throw invalid(`Invalid option: type. This appliance offers: ${here.join(', ') || 'none'}`)
}

function storedPassword(text: string | undefined): string {
  const { storage } = storedObject(text)
  if (isObject(storage) && storage.type === 'iscsi' && typeof storage.password === 'string') return storage.password
  throw invalid('Missing option: password. There is no stored one to keep')
}

/** The object in storage.json, for `publicStorage`; empty if there is none. */
export function storedObject(text: string | undefined): JsonObject {
  try {
    const value: unknown = JSON.parse(text ?? '')
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

/** The types in storage-options.json. As in the original, an unreadable file means only the local disk. */
export function readStorageOptions(text: string | undefined): string[] {
  const { options } = storedObject(text)
  return Array.isArray(options) ? options.filter((option) => typeof option === 'string') : ['local']
}

/** What GET /storage returns: the stored object, with the options last. Only the original's mode shows the password. */
export function publicStorage(stored: unknown, options: readonly string[], mode: Mode = 'strict'): JsonObject {
  const { options: _, ...shown } = isObject(stored) ? stored : {}
  if (mode === 'strict' && isObject(shown.storage) && Object.hasOwn(shown.storage, 'password')) {
    shown.storage = { ...shown.storage, password: HIDDEN }
  }
  return { ...shown, options }
}
