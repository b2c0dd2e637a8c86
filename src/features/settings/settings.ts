// The settings file of POST and GET /settings: checked, and rendered as the three files that the appliance reads.
// The trap: what GET returns must be accepted by POST again; so `network.mode`, which only we write, is taken and ignored.
import { invalid } from '../../http/errors.ts'
import { isObject, type JsonObject, readDocument } from '../conf/document.ts'
import { checkField, type Mode, refuseUnknown } from '../conf/fields.ts'
import { networkConf } from './conf.ts'
import { checkNetwork, FIELDS, modeOf, type Network } from './network.ts'

export interface Settings {
  mode: 'static' | 'dhcp'
  /** The texts of app.json, network.json and network.conf. */
  appJson: string
  networkJson: string
  networkConf: string
}

const NAMES = FIELDS.map(({ name }) => name as string)

/** Reads an uploaded settings.json. Throws `invalid`; an empty message is the original's bare 400. */
export function readSettings(text: string, mode: Mode): Settings {
  const document = readDocument(text)
  if (isObject(document) && Object.keys(document).length === 0)
    throw invalid('', { words: 'Expected an object with the members network and app' })
  const { network: given, app = {} }: JsonObject = isObject(document) ? document : {}
  const members = isObject(given) ? given : {}
  const network = Object.fromEntries(FIELDS.map((field) => [field.name, checkField(field, members, mode)])) as Network
  if (!isObject(app)) throw invalid('Invalid value for option: app. Expected an object')
  if (mode === 'strict') {
    refuseUnknown(document as JsonObject, ['network', 'app'], 'the settings')
    const { mode: stored, ...rest } = members
    refuseUnknown(rest, NAMES, 'network')
    if (![undefined, 'static', 'dhcp'].includes(stored as string)) {
      throw invalid('Invalid option: mode. Allowed: static, dhcp')
    }
    checkNetwork(network)
  }
  const known = Object.entries(members).filter(([name]) => NAMES.includes(name))
  const type = modeOf(network)
  return {
    mode: type,
    appJson: `${JSON.stringify(app)}\n`,
    networkJson: `${JSON.stringify({ mode: type, ...Object.fromEntries(known) })}\n`,
    networkConf: networkConf(network),
  }
}

/** What GET /settings shows, from the texts of app.json and network.json. */
export const readStoredSettings = (appText: string, networkText: string): { network: JsonObject; app: JsonObject } => ({
  network: storedObject(networkText),
  app: storedObject(appText),
})

/** The original shows a file that it cannot read as an empty object. */
function storedObject(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
