// This machine, as the checks see it.
import { createRun } from '../../drivers/run.ts'
import { SYSTEM_PATH } from '../../folders.ts'
import { type Place, serverOf } from './place.ts'

type Known = Pick<Place, 'folders' | 'scripts' | 'configured'> &
  Partial<Pick<Place, 'path' | 'programs' | 'system' | 'now' | 'within' | 'me' | 'run' | 'environment'>>

export async function placeOf(known: Known): Promise<Place> {
  const path = SYSTEM_PATH.split(':')
  return {
    path,
    system: '/',
    me: { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 },
    now: Date.now(),
    environment: {},
    within: false,
    server: await serverOf(known.folders, known.configured.settings.privilege),
    // Only fixed programs of the system are run, named in the files of this folder.
    run: createRun(
      (program) =>
        (known.path ?? path).concat('/usr/bin').some((folder) => program.startsWith(`${folder}/`)) ||
        program === sudoOf(known.system),
    ),
    ...known,
  }
}

const sudoOf = (system = '/') => `${system === '/' ? '' : system}/usr/bin/sudo`
