// First run: an appliance without a token makes a phrase of N words, and nothing but POST /setup with it works until it
// is replaced. The phrase is made only at the start; an existing token means that set-up is not pending (facts:
// jidoteki.md 4.5).
import { randomInt } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { etc, type Folders, installation } from '../folders.ts'
import { readText, replaceAtomic } from '../store/atomic.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { readPhrase } from './token.ts'

/** `count` words of the EFF's large list, joined with dashes: 12.9 bits each. */
export function phrase(count: number): string {
  const words = readFileSync(join(installation(), 'etc/eff-large-wordlist.txt'), 'utf8').trim().split('\n')
  return Array.from({ length: count }, () => words[randomInt(words.length)]).join('-')
}

/**
 * Makes the phrase if there is no token; returns the file that holds it while set-up is pending, otherwise undefined.
 */
export function prepareFirstRun(folders: Folders, words: number): string | undefined {
  const file = etc(folders, 'api.token.setup')
  // An empty file (an interrupted transfer, a full disk) is not a token, and would lock everybody out.
  const there = lstatSync(etc(folders, 'api.token'), { throwIfNoEntry: false })
  if (!there || (there.isFile() && there.size === 0)) {
    // After a crash between the two writes, reuse the phrase already on disk.
    const made = readPhrase(file) ?? phrase(words)
    replaceAtomic(file, `${made}\n`, 0o600)
    checkpoint('first-run-written')
    replaceAtomic(etc(folders, 'api.token'), `${made}\n`, 0o600)
  }
  return readText(file) ? file : undefined
}
