// iSCSI of this appliance, from its configuration. Where the programs are not the system's (tests, trials), neither is saveconfig.json: a
// modeled target must never be written to the machine's own file.
import { join } from 'node:path'
import { createLio } from '../../drivers/lio.ts'
import type { Tool } from '../../drivers/programs.ts'
import type { Zfs } from '../../drivers/zfs.ts'
import type { Folders } from '../../folders.ts'
import { Iscsi, type IscsiOptions } from './iscsi.ts'
import { Marks } from './marks.ts'
import { defaultPortals } from './names.ts'
import { defaultSaved } from './saved.ts'

export interface Wiring {
  folders: Folders
  /** Members of the configuration. */
  settings: { saveconfig?: string | undefined; portals?: readonly string[] | undefined }
  tool: Tool
  zfs: Zfs
  /** The storage programs are not the system's. */
  trial: boolean
  warn: IscsiOptions['warn']
}

export function createIscsi({ folders, settings, tool, zfs, trial, warn }: Wiring): Iscsi {
  const { saveconfig, portals = defaultPortals() } = settings
  const file = saveconfig ?? (trial ? join(folders.state, 'saveconfig.json') : defaultSaved())
  return new Iscsi({ lio: createLio(tool), zfs, file, marks: new Marks(join(folders.state, 'iscsi')), portals, warn })
}
