// Who uses the shares: SMB sessions and open files, and closing them with the mouse; the clients of the NFS exports.
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Server } from '../api/appliance.ts'
import { PASSWORD } from '../api/controller.ts'
import type { World } from '../api/storage-world.ts'
import { people } from './people.ts'
import {
  type Desk,
  expectAccessible,
  expectFocus,
  expectNoOverflow,
  goTo,
  shoot,
  signIn,
  startStorageDesk,
} from './rig.ts'

const visitor = people()
let desk: Desk & { world: World<Server> }
beforeAll(async () => {
  desk = await startStorageDesk()
})
afterAll(() => desk?.close())
beforeEach(() => {
  const session = (id: string, username: string, files: string[]) => ({
    id,
    pid: 4700 + Number(id),
    uid: 1000 + Number(id),
    username,
    client: `10.0.0.${id}`,
    shares: ['data'],
    files,
  })
  desk.world.fakes?.change((model) => {
    model['samba'] = {
      registry: { data: [['path', '/tank/data']] },
      include: true,
      smbd: true,
      sessions: [
        session('11', 'alice', ['/tank/data/report.odt', '/tank/data/budget.ods']),
        session('12', 'bob', ['/tank/data/video.mkv']),
        session('13', 'carol', []),
      ],
    }
  })
})

async function come(username: string, phone = false) {
  const person = await visitor(desk.url, { phone })
  const { page } = person
  // A session that has ended by itself.
  person.expected.push(/status of 404/)
  await signIn(page, { username, password: PASSWORD })
  await goTo(page, 'smb', 'SMB shares')
  return page
}
const sessions = async (): Promise<string[]> =>
  (await desk.world.ask('GET', '/shares/smb/sessions')).json.map(({ username }: { username: string }) => username)

it('sessions are seen and closed, one and several', async () => {
  const page = await come('operator')
  const table = page.getByRole('region', { name: 'Sessions', exact: true })
  await table.getByRole('row', { name: /^Select alice at 10\.0\.0\.11 alice 10\.0\.0\.11 data 2 SMB3_11/ }).waitFor()
  await expectAccessible(page)
  await page.getByRole('button', { name: 'Close the session of carol at 10.0.0.13' }).click()
  const dialog = page.getByRole('dialog', { name: 'Close 1 session' })
  await dialog.getByText('what it has not written yet is lost').waitFor()
  // Escape changes nothing, and the keyboard goes on where it was.
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await expectFocus(page, 'Close…')
  expect(await sessions()).toEqual(['alice', 'bob', 'carol'])

  await page.getByLabel('Select alice at 10.0.0.11').check()
  await page.getByLabel('Select carol at 10.0.0.13').check()
  await page.getByRole('button', { name: 'Close 2 sessions…' }).click()
  const both = page.getByRole('dialog', { name: 'Close 2 sessions' })
  expect(await both.locator('pre').textContent()).toBe('alice at 10.0.0.11\ncarol at 10.0.0.13')
  await expectAccessible(page)
  // One of them leaves by itself meanwhile: it is closed all the same.
  desk.world.fakes?.change(({ samba }) => {
    samba.sessions = samba.sessions.filter(({ username }: { username: string }) => username !== 'carol')
  })
  await both.getByRole('button', { name: 'Close 2 sessions' }).click()
  await both.waitFor({ state: 'detached' })
  expect(await sessions()).toEqual(['bob'])
  await table.getByRole('row', { name: /alice/ }).waitFor({ state: 'detached' })
})

it('an open file is found and closed with its session, and the others of the session are counted', async () => {
  const page = await come('operator')
  const table = page.getByRole('region', { name: 'Open files' })
  await table.getByRole('row', { name: /^\/tank\/data\/report\.odt alice 10\.0\.0\.11 read and write/ }).waitFor()
  await shoot(page, 'smb-connected')
  await table.getByRole('button', { name: 'Close /tank/data/report.odt' }).click()
  const dialog = page.getByRole('dialog', { name: 'Close an open file' })
  await dialog.getByText('This closes /tank/data/report.odt and 1 other file of the session.').waitFor()
  await expectAccessible(page)
  await shoot(page, 'smb-close-file')
  await dialog.getByRole('button', { name: 'Close 1 session' }).click()
  await dialog.waitFor({ state: 'detached' })
  await table.getByRole('row', { name: /report\.odt/ }).waitFor({ state: 'detached' })
  await table.getByRole('row', { name: /video\.mkv/ }).waitFor()
  expect(await sessions()).toEqual(['bob', 'carol'])
})

it('names from clients neither turn around nor hide the text beside them', async () => {
  desk.world.fakes?.change(({ samba }) => {
    const [alice] = samba.sessions
    Object.assign(alice, {
      username: 'דנה',
      files: ['/tank/data/invoice\u202efdp.exe', '/tank/data/\u2066\u001b[2Jדוח.odt'],
    })
  })
  const page = await come('operator')
  const table = page.getByRole('region', { name: 'Open files' })
  const row = table.getByRole('row', { name: /fdp\.exe/ })
  // The override is written as its number, and the letters after it stay in their order.
  await row.getByRole('rowheader', { name: '/tank/data/invoice\\u202efdp.exe', exact: true }).waitFor()
  await table.getByRole('rowheader', { name: '/tank/data/\\u2066\\u001b[2Jדוח.odt', exact: true }).waitFor()
  await row.getByRole('button', { name: /^Close/ }).click()
  const dialog = page.getByRole('dialog', { name: 'Close an open file' })
  await dialog.getByText('This closes /tank/data/invoice\\u202efdp.exe and 1 other file of the session.').waitFor()
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await table
    .getByRole('row', { name: /דוח/ })
    .getByRole('button', { name: /^Close/ })
    .click()
  // Letters from right to left stand for themselves: the number behind them stays behind them.
  expect(await dialog.locator('p bdi').allTextContents()).toEqual(['/tank/data/\\u2066\\u001b[2Jדוח.odt'])
  const hazards = await page.evaluate(
    '/[\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069\\u001b]/.test(document.body.textContent)',
  )
  expect(hazards).toBe(false)
  await shoot(page, 'smb-odd-names')
})

it('a viewer sees them on a phone, and closes none', async () => {
  const page = await come('viewer', true)
  await page.getByRole('rowheader', { name: '/tank/data/video.mkv' }).waitFor()
  expect(await page.getByRole('button', { name: /^Close/ }).count()).toBe(0)
  await expectNoOverflow(page)
  await expectAccessible(page)
  await shoot(page, 'smb-connected-phone')
})

it('NFS clients are listed with what is known of them', async () => {
  const { page } = await visitor(desk.url)
  await page.route('**/api/v1/exports/nfs/clients', (route) =>
    route.fulfill({
      json: [
        { address: '192.168.1.7', state: 'connected', version: '4.2', name: 'Linux NFSv4.2 esx1', idle_seconds: 12 },
        { address: '192.168.1.9', state: 'remembered', version: '3', path: '/tank/data' },
      ],
    }),
  )
  await signIn(page, { username: 'viewer', password: PASSWORD })
  await goTo(page, 'nfs', 'NFS exports')
  await page.getByRole('row', { name: /^192\.168\.1\.7 connected NFSv4\.2 Linux NFSv4\.2 esx1/ }).waitFor()
  await page.getByRole('row', { name: /^192\.168\.1\.9 may be gone NFSv3 \/tank\/data$/ }).waitFor()
  await expectAccessible(page)
  await shoot(page, 'nfs-clients')
})

it('iSCSI sessions are listed with where they come from and what they see', async () => {
  const { page } = await visitor(desk.url)
  const target = 'iqn.2026-11.lan.appliance:disk1'
  await page.route('**/api/v1/iscsi/sessions', (route) =>
    route.fulfill({
      json: [
        {
          target: 'one',
          iqn: target,
          initiator: 'iqn.1993-08.org.debian:01:abc',
          alias: 'esx1',
          addresses: ['192.168.1.7'],
          state: 'logged-in',
          luns: [{ id: 0, zvol: 'tank/volume', backend: 'block' }],
        },
        {
          target: 'one',
          iqn: target,
          initiator: 'iqn.1993-08.org.debian:01:def',
          addresses: [],
          state: 'failed',
          luns: [],
        },
      ],
    }),
  )
  await signIn(page, { username: 'viewer', password: PASSWORD })
  await goTo(page, 'iscsi', 'iSCSI targets')
  await page.getByRole('row', { name: /:abc esx1 iqn\S+disk1 192\.168\.1\.7 logged in LUN 0: tank\/volume$/ }).waitFor()
  await page.getByRole('row', { name: /:def iqn\S+disk1 – connection lost none$/ }).waitFor()
  await expectAccessible(page)
  await shoot(page, 'iscsi-sessions')
})
