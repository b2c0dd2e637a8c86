// The settings of POST and GET /settings: validated, and rendered as the three files that the appliance reads. POST
// must accept what GET returns, so `network.mode`, which only we write, is accepted and ignored.
import { invalid } from '../../errors.ts'
import { checkNetwork, fieldsOf, modeOf, NAMES, type Network } from './network.ts'
import { networkConf } from './network-conf.ts'
import { isObject, type JsonObject, memberText, readDocument } from './upload/document.ts'
import { checkField, collect, type FieldError, type Mode, refuseAll, refuseUnknown } from './upload/fields.ts'

export interface Settings {
  mode: 'static' | 'dhcp'
  /** The texts of app.json, network.json and network.conf. */
  appJson: string
  networkJson: string
  networkConf: string
}

/** Reads an uploaded settings.json. Throws `invalid`; an empty message means the original's bare 400. */
export function readSettings(text: string, mode: Mode): Settings {
  const document = readDocument(text, mode)
  if (isObject(document) && Object.keys(document).length === 0)
    throw invalid('', { words: 'Expected an object with the members network and app' })
  const { network: given, app = {} }: JsonObject = isObject(document) ? document : {}
  const members = isObject(given) ? given : {}
  const errors: FieldError[] = []
  const network = Object.fromEntries(
    fieldsOf(mode).map((field) => [
      field.name,
      collect(errors, field.name, () => checkField(field, members, mode)) ?? '',
    ]),
  ) as Network
  if (mode === 'strict') checkStrictly(document, members, network, errors)
  refuseAll(errors)
  const known = Object.entries(members).filter(([name]) => NAMES.includes(name))
  const type = modeOf(network, mode)
  return {
    mode: type,
    appJson: `${(mode === 'original' && isObject(document) && memberText(text, 'app')) || JSON.stringify(app)}\n`,
    networkJson: `${JSON.stringify({ mode: type, ...Object.fromEntries(known) })}\n`,
    networkConf: networkConf(network, type, mode),
  }
}

function checkStrictly(document: unknown, members: JsonObject, network: Network, errors: FieldError[]): void {
  const { network: _, app = {}, ...more }: JsonObject = isObject(document) ? document : {}
  if (!isObject(app)) errors.push({ field: 'app', message: 'Invalid value for option: app. Expected an object' })
  collect(errors, 'settings', () => refuseUnknown(more, ['network', 'app'], 'the settings'))
  const { mode: stored, ...rest } = members
  collect(errors, 'network', () => refuseUnknown(rest, NAMES, 'network'))
  if (![undefined, 'static', 'dhcp'].includes(stored as string))
    errors.push({ field: 'mode', message: 'Invalid option: mode. Allowed: static, dhcp' })
  const alone = new Set(errors.map(({ field }) => field))
  errors.push(...checkNetwork(network).filter(({ field }) => !alone.has(field)))
}

/**
 * What GET /settings returns, from the texts of app.json and network.json. As in the original, any value of `app` is
 * returned as it was written.
 */
export function storedSettings(appText: string, networkText: string, mode: Mode): string {
  const app = mode === 'original' && isJson(appText) ? appText.trim() : JSON.stringify(storedObject(appText))
  return `{"network":${JSON.stringify(storedObject(networkText))},"app":${app}}`
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The original shows an unreadable file as an empty object. */
function storedObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
