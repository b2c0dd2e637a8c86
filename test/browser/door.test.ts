// The way in and out: the first run, signing in with an account and with the token, the end of a session.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, logIn, ON } from '../api/controller.ts'
import { people } from './people.ts'
import {
  ADMIN,
  type Desk,
  expectAccessible,
  expectFocus,
  expectNoOverflow,
  type Look,
  REFUSED,
  shoot,
  signIn,
  startDesk,
} from './rig.ts'

const TOKEN = 'browser-made-token'
const visitor = people()
let desk: Desk
const come = (look?: Look) => visitor(desk.url, look)

beforeAll(async () => {
  desk = await startDesk({ ...ON, token: null })
})
afterAll(() => desk?.close())

describe('the first run', () => {
  it('takes the phrase, a token and a password, and leads into the console', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(REFUSED)
    await page.getByRole('heading', { name: 'Set up this appliance' }).waitFor()
    for (const look of [{}, { dark: true }, { phone: true }]) {
      const other = await come(look)
      await other.page.getByRole('heading', { name: 'Set up this appliance' }).waitFor()
      await other.page.getByText('The same with curl').click()
      await other.page.getByText('newtoken=NEW-TOKEN').waitFor()
      await expectAccessible(other.page)
      await expectNoOverflow(other.page)
      await shoot(other.page, `first-run-${Object.keys(look)[0] ?? 'light'}`)
    }
    await page.getByLabel('Phrase').fill('not-the-right-phrase')
    await page.getByLabel('API token').fill(TOKEN)
    await page.getByLabel('Administrator password').fill(ADMIN.password)
    await page.getByLabel('Repeat the password').fill(ADMIN.password)
    const button = page.getByRole('button', { name: 'Set up' })
    await button.click()
    await page.getByText('Check this box first').waitFor()
    await page.getByLabel('I have saved the token').check()
    await button.click()
    // At its field, which has the focus.
    await page.locator('.wrong', { hasText: 'This is not the phrase' }).waitFor()
    await expectFocus(page, 'Phrase')
    const { root, state } = desk.server.folders
    await page.getByLabel('Phrase').fill(readFileSync(join(root, 'etc/api.token.setup'), 'utf8').trim())
    await button.click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    expect(readFileSync(join(state, 'users.json'), 'utf8')).not.toContain('one_time')
    expect((await desk.server.call('GET', '/version', { token: TOKEN })).status).not.toBe(403)
    expect((await logIn(desk.server.url, ADMIN.username, ADMIN.password)).status).toBe(200)
  })
})

describe('signing in', () => {
  it('refuses a wrong password in the appliance’s own words, with the id of the request', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(REFUSED)
    await page.getByLabel('User name').fill(ADMIN.username)
    await page.getByLabel('Password').fill('wrong-1-password')
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    const alert = page.getByRole('alert')
    await alert.waitFor()
    expect(await alert.textContent()).toMatch(/Wrong user name or password.*Request [a-z0-9]+-/)
    await expectAccessible(page)
    await shoot(page, 'sign-in-refused')
  })

  it('goes by keyboard alone, to the end of a session', async () => {
    const { page } = await come()
    await page.getByLabel('User name').waitFor()
    const press = async (...keys: string[]) => {
      for (const key of keys) await page.keyboard.press(key)
    }
    await press('Tab')
    await page.keyboard.type(ADMIN.username)
    await press('Tab')
    await page.keyboard.type(ADMIN.password)
    await press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    // The heading has the focus: what was done is where the keyboard is.
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1')
    await page.getByRole('link', { name: 'Tasks', exact: true }).focus()
    await press('Enter')
    await page.getByRole('heading', { level: 1, name: 'Tasks' }).waitFor()
    await page.getByRole('button', { name: 'Sign out' }).focus()
    await press('Enter')
    await page.getByText('You are signed out.').waitFor()
  })

  it('is over at once: what the page still asks then is given up, not refused', async () => {
    const { page } = await come()
    await signIn(page)
    let goOn = () => {}
    const signedOut = new Promise<void>((resolve) => {
      goOn = resolve
    })
    await page.route('**/console/tasks', async (route) => {
      await signedOut
      await route.continue()
    })
    const asked = page.waitForRequest('**/console/tasks')
    await page.getByRole('link', { name: 'Tasks', exact: true }).click()
    const ended = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/console/tasks'))
    await asked
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    goOn()
    await ended
  })

  it('keeps its credential where no script can read it', async () => {
    const person = await come()
    await signIn(person.page)
    expect(await person.page.evaluate('document.cookie')).toBe('')
    const [cookie, ...others] = await person.context.cookies()
    expect(others).toEqual([])
    expect(cookie).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Strict', path: '/' })
    const kept = await person.page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])')
    expect(kept).toBe('[{},{}]')
  })

  it('takes the token, without storage', async () => {
    const { page } = await come()
    await page.getByRole('button', { name: 'Sign in with the API token instead' }).click()
    await page.getByLabel('API token').fill(TOKEN)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    expect(await page.getByRole('link', { name: 'Pools', exact: true }).count()).toBe(0)
  })
})

describe('a session', () => {
  it('that ended on the appliance ends in the page, which says so, and a restart does not end it', async () => {
    const person = await come()
    const { page } = person
    person.expected.push(REFUSED, /ERR_|WebSocket|Failed to load/)
    await signIn(page)
    await desk.restart()
    await page.reload()
    await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
    const bearer = (await logIn(desk.server.url, ADMIN.username, ADMIN.password)).json.token
    const changed = await ask(desk.server.url, 'PUT', '/api/v1/auth/password', {
      bearer,
      json: { current: ADMIN.password, password: `${ADMIN.password}0` },
    })
    expect(changed.status).toBe(200)
    await page.getByRole('link', { name: 'Tasks', exact: true }).click()
    await page.getByText('Your session has ended. Sign in again.').waitFor()
  })
})
