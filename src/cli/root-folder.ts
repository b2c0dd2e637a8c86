// The admin folder that a command works in: `--root`, else the one that the original's environment names, else the usual one. In one place, so
// that no two commands of one appliance mean different folders.
import { resolve } from 'node:path'
import { type Environment, rootOf } from '../features/original/environment.ts'
import { DEFAULT_FOLDERS } from '../folders.ts'
import { UsageError } from './command.ts'

export function rootFolder(option: string | undefined, environment: Environment, usual = DEFAULT_FOLDERS.root): string {
  // An empty one would be the folder that the caller happens to be in.
  if (option === '') throw new UsageError('--root is missing its folder')
  return resolve(option ?? rootOf(environment) ?? usual)
}
