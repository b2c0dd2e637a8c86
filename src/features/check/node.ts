// Checks Node: new enough, and found by the tasks. Their search path differs from this process's: they do not find a
// Node that only a user's shell knows (nvm).
import { error, type Finding, ok } from './finding.ts'
import { attempt, type Place } from './place.ts'
import { findProgram } from './read.ts'

const LEAST = [20, 19] as const

export const isNewEnough = (version: string) => {
  const [, major = 0, minor = 0] = (/^v?(\d+)\.(\d+)/.exec(version) ?? []).map(Number)
  return major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])
}

export async function lookAtNode(place: Place): Promise<Finding[]> {
  const wanted = LEAST.join('.')
  const file = await findProgram(place, 'node')
  if (!file) {
    const text = `no node is in ${place.path.join(':')}, where tasks look for it`
    return [
      error(
        'node.missing',
        'node',
        text,
        `Install Node ${wanted} or newer there, or link it: ln -s ${process.execPath} /usr/local/bin/node`,
      ),
    ]
  }
  const ended = await attempt(place, file, ['--version'])
  const version = ended.ran && ended.status === 0 ? ended.stdout.trim() : ''
  if (!/^v\d+\.\d+\.\d+/.test(version))
    return [error('node.broken', file, 'it does not say its version', `Install Node ${wanted} or newer.`)]
  if (!isNewEnough(version))
    return [error('node.old', file, `it is ${version}, and ${wanted} is needed`, `Install Node ${wanted} or newer.`)]
  return [ok('node.ok', file, version)]
}
