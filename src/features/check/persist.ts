// On an image that runs from memory, the image's tool saves the state to a disk (persist in scripts/memory-image.sh);
// without its device nothing is saved.
import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type Finding, ok, unseen, warning } from './finding.ts'
import type { Place } from './place.ts'
import { readSmall } from './read.ts'

export const PERSIST_TOOL = '/usr/bin/symlinktool.sh'
export const PERSIST_DEVICE = '/etc/sysconfig/backup_device'

export async function lookAtPersist({ system }: Place): Promise<Finding[]> {
  const [tool, file] = [join(system, PERSIST_TOOL), join(system, PERSIST_DEVICE)]
  if (!(await stat(tool).catch(() => undefined))) return []
  if (await access(tool, constants.X_OK).catch(() => true))
    return [
      warning(
        'persist.not-executable',
        tool,
        'it cannot be started, so what is changed is lost at a restart',
        `chmod 755 ${tool}`,
      ),
    ]
  const read = await readSmall(file)
  if (read.state === 'unseen') return [unseen('persist', file)]
  const text = read.state === 'there' ? read.bytes.toString('latin1') : ''
  // As the scripts read it: without a byte order mark.
  const name = (text.replace(/^\xef\xbb\xbf/, '').split('\n', 1)[0] ?? '').trim()
  if (name === '')
    return [
      warning(
        'persist.no-device',
        file,
        'it names no device, so what is changed is lost at a restart',
        `Write the name of the device into it, as ${PERSIST_TOOL} takes it.`,
      ),
    ]
  return [ok('persist.ok', tool, `it keeps what is changed on ${name}`)]
}
