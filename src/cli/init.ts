// `edge-admin init`: creates the folders of an appliance. Without --sample, folders that are not given are the real
// ones of this machine (of the installation, else /usr/local/etc, /data); with --sample they are below --root, so that
// a trial touches nothing else.
import { join } from 'node:path'
import { makeFolders } from '../features/installation/layout.ts'
import { type Io, parse, say, UsageError } from './command.ts'
import { commandFolders } from './given-folders.ts'

export async function init(args: string[], io: Io): Promise<number> {
  const { values } = parse(args, {
    root: { type: 'string' },
    sysconfdir: { type: 'string' },
    datadir: { type: 'string' },
    statedir: { type: 'string' },
    sample: { type: 'boolean', default: false },
  })
  if (values.sample && values.root === undefined)
    throw new UsageError('--root is missing: a sample goes into a folder of its own')
  const { root = '', sample } = values
  const below = { sysconfdir: join(root, 'sysconf'), datadir: join(root, 'data'), statedir: join(root, 'state') }
  const folders = commandFolders(sample ? { ...below, ...values } : values, io)
  const made = makeFolders(folders)
  if (values.sample) {
    const { makeSample } = await import('../features/installation/sample.ts')
    made.push(...makeSample(folders))
  }
  for (const path of made) say(io.stdout, `made ${path}`)
  if (made.length === 0) say(io.stdout, 'everything was already there')
  return 0
}
