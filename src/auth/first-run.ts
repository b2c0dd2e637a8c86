// First run: an appliance without a token makes a phrase of N words, and nothing but POST /setup with it works until it is replaced.
// The trap: it is made at the start only. A token that is already there means nothing is pending (facts: jidoteki.md 4.5).
import { randomInt } from 'node:crypto'
import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { etc, type Folders, installation } from '../folders.ts'
import { readText, replaceAtomic } from '../store/atomic.ts'
import { checkpoint } from '../store/checkpoint.ts'
import { readPhrase } from './token.ts'

/** `count` words of the EFF's large list, joined with dashes: 12.9 bits a word. */
export function phrase(count: number): string {
  const words = readFileSync(join(installation(), 'etc/eff-large-wordlist.txt'), 'utf8').trim().split('\n')
  return Array.from({ length: count }, () => words[randomInt(words.length)]).join('-')
}

/** Makes the phrase when there is no token; returns the file that holds it while set-up is pending, undefined otherwise. */
export function prepareFirstRun(folders: Folders, words: number): string | undefined {
  const file = etc(folders, 'api.token.setup')
  // An empty file (a transfer that was cut, a disk that was full) is no token, and with it alone nobody would ever get in.
  const there = lstatSync(etc(folders, 'api.token'), { throwIfNoEntry: false })
  if (!there || (there.isFile() && there.size === 0)) {
    // A crash between the two writes left a phrase that is not yet the token: the same phrase goes on.
    const made = readPhrase(file) ?? phrase(words)
    replaceAtomic(file, `${made}\n`, 0o600)
    checkpoint('first-run-written')
    replaceAtomic(etc(folders, 'api.token'), `${made}\n`, 0o600)
  }
  return readText(file) ? file : undefined
}
