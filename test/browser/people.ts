// What the browser tests share: one browser for a file, visitors that are looked at again when each test ends. A
// visitor that is forgotten keeps its faults to itself, so they are made here only.
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { startBrowser } from './chromium.ts'
import { expectNoFaults, type Look, type Visitor, visit } from './rig.ts'

/** A visitor for an address, until the end of the test. */
export function people(): (url: string, look?: Look) => Promise<Visitor> {
  let browser: Browser
  const here: Visitor[] = []
  beforeAll(async () => {
    browser = await startBrowser()
  })
  afterEach(async () => {
    const all = here.splice(0)
    for (const { context } of all) await leave(context)
    for (const visitor of all) expectNoFaults(visitor)
  })
  afterAll(() => browser?.close())
  return async (url, look) => {
    const visitor = await visit(browser, url, look)
    here.push(visitor)
    return visitor
  }
}

/** Requests that a test answers itself may still be under way: what they meet when the window closes is nobody's fault. */
async function leave(context: BrowserContext): Promise<void> {
  for (const routed of [...context.pages(), context]) await routed.unrouteAll({ behavior: 'ignoreErrors' })
  await context.close()
}
