// A whole update with a real package in the browser: sent, followed, done; refused; with the network cut while it runs.
// How long a step takes is nobody's promise, so the package waits for a file that the test makes.
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildPackage } from '../../src/features/package/build.ts'
import { TOKEN, temporaryFolder } from '../api/appliance.ts'
import { go, goodPackage, slowPackage } from '../api/packages.ts'
import { people } from './people.ts'
import { CUT, type Desk, expectAccessible, goTo, REFUSED, shoot, startDesk, type Visitor } from './rig.ts'

const visitor = people()
let desk: Desk

beforeAll(async () => {
  desk = await startDesk()
})
afterAll(() => desk?.close())

async function come(): Promise<Visitor> {
  const person = await visitor(desk.url)
  await person.page.getByLabel('API token').fill(TOKEN)
  await person.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await person.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await goTo(person.page, 'update', 'Update')
  return person
}

const send = async ({ page }: Visitor, buffer: Buffer) => {
  await page
    .getByLabel('Update package')
    .setInputFiles({ name: 'package.enc', mimeType: 'application/octet-stream', buffer })
  await page.getByRole('button', { name: 'Upload and install' }).click()
}

/** The log, once it says this. */
const logWith = (page: Page, hasText: string) => page.getByRole('log').filter({ hasText })

describe('an update', () => {
  it('is sent, followed step by step with its log, and installed', async () => {
    const person = await come()
    const { page } = person
    await send(person, await slowPackage(desk.server.folders, '2.0.0'))
    await page.getByRole('progressbar', { name: /^update:/ }).waitFor()
    await logWith(page, 'Verifying').waitFor()
    expect(await page.getByText('The update was installed.').count()).toBe(0)
    await shoot(page, 'update-running')
    go(desk.server.folders)
    await page.getByText('The update was installed.').waitFor()
    await page.getByText('Version 2.0.0').waitFor()
    await page.getByText('completed').waitFor()
    await expectAccessible(page)
    await shoot(page, 'update-done')
  })

  it('goes on while the network is cut, and the page picks its log up where it was', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(CUT, /ERR_/)
    const lines = 'echo before-the-cut; while [ ! -f "$EDGE_ROOT/tmp/on" ]; do sleep 0.1; done; echo after-the-cut'
    await send(person, await goodPackage(desk.server.folders, '3.0.0', lines))
    await logWith(page, 'before-the-cut').waitFor()
    // That was the one before.
    expect(await page.getByText('The update was installed.').count()).toBe(0)
    desk.cable.cut()
    await page.getByText('Connection lost.').waitFor()
    writeFileSync(join(desk.server.folders.root, 'tmp/on'), '')
    desk.cable.mend()
    await logWith(page, 'after-the-cut').waitFor()
    await page.getByText('The update was installed.').waitFor()
    const text = (await page.getByRole('log').textContent()) ?? ''
    expect(text.split('before-the-cut')).toHaveLength(2)
  })

  it('of another vendor is refused, in words and with its code', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(REFUSED)
    await send(person, await foreignPackage(desk.server.folders.root))
    await page.getByText(/E1005: .*not signed by its vendor/).waitFor()
    // Once: not as a heading, and in a box, and beside the badge.
    await page.getByText('Error verifying software update package signature').waitFor()
    await page.getByText('Version 3.0.0').waitFor()
    await expectAccessible(page)
    await shoot(page, 'update-refused')
  })

  it('is taken where it is dropped', async () => {
    const { page } = await come()
    const dropped = await page.evaluateHandle(
      `(() => { const all = new DataTransfer(); all.items.add(new File(['not a package'], 'dropped.enc')); return all })()`,
    )
    const button = page.getByRole('button', { name: 'Upload and install' })
    await button.click()
    await page.locator('.wrong', { hasText: 'Choose a file' }).waitFor()
    await page.getByLabel('Update package').dispatchEvent('drop', { dataTransfer: dropped })
    await page.getByText('dropped.enc (13 bytes)').waitFor()
    expect(await page.locator('.wrong').count()).toBe(0)
  })

  it('that is installed already is refused', async () => {
    const person = await come()
    await send(person, await goodPackage(desk.server.folders, '3.0.0'))
    await person.page.getByText(/E1001: /).waitFor()
  })
})

/** Encrypted with the right key, signed by somebody else. */
async function foreignPackage(root: string): Promise<Buffer> {
  const folder = join(temporaryFolder(), 'payload')
  mkdirSync(folder)
  writeFileSync(join(folder, 'version.txt'), '9.0.0\n')
  writeFileSync(join(folder, 'update.sh'), '#!/bin/sh\n')
  const out = join(folder, '../foreign.enc')
  const passphrase = Buffer.from(readFileSync(join(root, 'etc/updates.key'), 'utf8').trim())
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const signingKey = createPrivateKey(privateKey.export({ type: 'pkcs8', format: 'pem' }))
  await buildPackage({ folder, passphrase, signingKey, out, time: 1_700_000_000 })
  return readFileSync(out)
}
