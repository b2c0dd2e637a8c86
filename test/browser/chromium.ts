// Debian's Chromium, for tests and for the bench. Left alone it looks for its maker's servers at every start.
import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((file) => existsSync(file))

const ARGUMENTS = [
  // Root has no sandbox of its own in a container; what is looked at is ours.
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

export async function startBrowser(more: string[] = []): Promise<Browser> {
  if (!CHROMIUM) throw new Error('there is no Chromium: make test-browser installs it')
  return chromium.launch({ executablePath: CHROMIUM, args: [...ARGUMENTS, ...more] })
}
