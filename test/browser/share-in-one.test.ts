// From a share user to a share that can be used, with the mouse: user, share in one go, permissions, and a change of
// all of them. The files are real ones; who they belong to is asked of the file system.
import { lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { REPOSITORY, type Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import { tool } from '../api/storage-tools.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import { type Desk, expectAccessible, goTo, REFUSED, shoot, signIn, startStorageDesk } from './rig.ts'

const isRoot = process.getuid?.() === 0
const visitor = people()
let desk: Desk & { world: World<Server> }

describe.skipIf(!isRoot)('a share (only root gives files away; skipped: not root)', () => {
  beforeAll(async () => {
    desk = await startStorageDesk()
    tool(desk.world, 'zpool', 'create', '-O', `mountpoint=${desk.world.files}/tank`, 'tank', ...desk.world.disks(1))
  })
  afterAll(() => desk?.close())

  it('is made for a share user in one go, and its permissions are shown and changed', async () => {
    const { world } = desk
    const person = await visitor(desk.url)
    const { page } = person
    person.expected.push(REFUSED)
    await signIn(page, { username: 'operator', password: PASSWORD })

    await goTo(page, 'smb', 'SMB shares')
    await page.locator('main header button').first().click()
    const dialog = page.getByRole('dialog', { name: 'Create a share', exact: true })
    await dialog.getByLabel('Name', { exact: true }).fill('club')
    await dialog.getByText('only root may write').waitFor()
    // The user is created without leaving the form.
    await dialog.getByRole('button', { name: 'Create share user…' }).click()
    const account = page.getByRole('dialog', { name: 'Create a share user' })
    await account.getByLabel('Name', { exact: true }).fill('alice')
    await account.getByLabel('Password').fill('a-good-one-1')
    await account.getByRole('button', { name: 'Create share user' }).click()
    await account.waitFor({ state: 'detached' })
    await dialog.getByLabel('User alice may').selectOption('read/write')
    await dialog.getByLabel('Group edge-shares may').selectOption('read')
    await dialog.getByLabel('NFS export, for Linux, Unix and hypervisors').check()
    await dialog.getByLabel('Allowed clients').fill('not a client!')
    await dialog.getByRole('button', { name: 'Show the steps' }).click()
    await dialog.locator('.wrong').first().waitFor()
    await dialog.getByLabel('Allowed clients').fill('192.168.1.0/24')
    // An account that the appliance does not know is named, and nothing is made.
    await dialog.getByText('Accounts of the system or of a domain').click()
    await dialog.getByLabel('Others who may read and write').fill('ghost')
    await dialog.getByRole('button', { name: 'Show the steps' }).click()
    await dialog.getByText('ghost: There is no such user').waitFor()
    expect((await world.ask('GET', '/datasets/tank%2Fclub')).status).toBe(404)
    await dialog.getByLabel('Others who may read and write').fill('')
    await dialog.getByRole('button', { name: 'Show the steps' }).click()
    await dialog.getByText('create the filesystem tank/club').waitFor()
    expect(await dialog.getByText('There is no such user').count()).toBe(0)
    expect(await dialog.locator('ol li').count()).toBe(4)
    await expectAccessible(page)
    await shoot(page, 'share-in-one')
    expect((await world.ask('GET', '/shares/smb')).json).toEqual([])
    await dialog.getByRole('button', { name: 'Create share', exact: true }).click()
    const made = page.getByRole('dialog', { name: 'tank/club is shared' })
    await made.getByText(/\\\\.+\\club/).waitFor()
    await made.getByRole('button', { name: 'Close' }).last().click()
    await page.getByRole('rowheader', { name: 'club', exact: true }).waitFor()
    expect((await world.ask('GET', '/shares/smb')).json).toMatchObject([{ name: 'club', dataset: 'tank/club' }])
    expect((await world.ask('GET', '/exports/nfs')).json).toMatchObject([{ dataset: 'tank/club' }])

    await goTo(page, 'datasets/tank%2Fclub', 'Dataset tank/club')
    const table = page.getByRole('region', { name: 'Permissions', exact: true })
    await table.getByRole('row', { name: /^alice owner read and write/ }).waitFor()
    await expectAccessible(page)
    await shoot(page, 'permissions')

    const file = join(world.files, 'tank/club/file')
    writeFileSync(file, '')
    const alice = lstatSync(join(world.files, 'tank/club')).uid
    expect(alice).toBeGreaterThan(0)
    await page.getByRole('button', { name: 'Edit permissions…' }).click()
    const edit = page.getByRole('dialog')
    await edit.getByLabel('Others may').selectOption('r-x')
    await edit.getByLabel('Owner', { exact: true }).fill('nobody-here')
    await edit.getByRole('button', { name: 'Save' }).click()
    await edit.getByText('There is no such user').waitFor()
    await edit.getByLabel('Owner', { exact: true }).fill('alice')
    await edit.getByLabel('Apply to everything in it').check()
    await edit.getByLabel('Give it to root').check()
    await edit.getByRole('button', { name: 'Preview' }).click()
    await edit.getByText('2 of 1 file and 1 folder would be changed').waitFor()
    expect(await edit.getByText('There is no such user').count()).toBe(0)
    await expectAccessible(page)
    await shoot(page, 'permissions-preview')
    expect(lstatSync(file).uid).toBe(0)
    await edit.getByRole('button', { name: 'Apply to everything' }).click()
    await edit.waitFor({ state: 'detached' })
    await page.getByText('set for everything in the dataset').waitFor()
    await table.getByRole('row', { name: /^Others everybody else read/ }).waitFor()
    expect(lstatSync(file).uid).toBe(alice)
  })
  it.each(['Permissions', 'Share in one go'])(
    'is described in docs/storage.md by lines that are true: %s',
    async (title) => {
      const { world } = desk
      // They may be there already.
      await world.ask('POST', '/share-groups', { json: { name: 'crew' } })
      await world.ask('POST', '/share-users', { json: { name: 'alice', password: 'a-good-one-1' } })
      if (title === 'Permissions') tool(world, 'zfs', 'create', 'tank/data')
      const lines = linesOf(title)
      expect(lines.length).toBeGreaterThan(1)
      for (const [line, method, path, json] of lines) {
        const { status, json: answer } = await world.ask(method, path, json === undefined ? {} : { json })
        expect([line, status, status < 300 ? '' : answer]).toEqual([line, expect.any(Number), ''])
      }
    },
  )
})

/** The `send` lines of a section. */
function linesOf(title: string): [line: string, method: string, path: string, json: unknown][] {
  const text = readFileSync(join(REPOSITORY, 'docs/storage.md'), 'utf8')
  const block = /```sh\n([\s\S]*?)```/.exec(text.slice(text.indexOf(`\n## ${title}\n`)))?.[1] ?? ''
  return [...block.matchAll(/^send (\w+) '?([^\s']+)'?(?: -d '([^']*)')?$/gm)].map(
    ([line, method = '', path = '', body]) => [line, method, path, body === undefined ? undefined : JSON.parse(body)],
  )
}
