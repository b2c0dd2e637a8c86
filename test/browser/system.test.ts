// The appliance's own settings in the browser: network, certificate, backup and restore. A page that says "done" proves
// nothing, so each change is looked for where it has to be: in the files, on the wire.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN, temporaryFolder } from '../api/appliance.ts'
import { people } from './people.ts'
import { CUT, type Desk, expectFocus, goTo, REFUSED, startDesk, type Visitor } from './rig.ts'

const visitor = people()
let desk: Desk

beforeAll(async () => {
  desk = await startDesk()
})
afterAll(() => desk?.close())

async function come(place: string, heading: string): Promise<Visitor> {
  const person = await visitor(desk.url)
  await person.page.getByLabel('API token').fill(TOKEN)
  await person.page.getByRole('button', { name: 'Sign in', exact: true }).click()
  await person.page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor()
  await goTo(person.page, place, heading)
  return person
}

const served = () =>
  new Promise<string>((resolve, reject) => {
    const socket = connect({ port: Number(new URL(desk.server.url).port), rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN))
      socket.end()
    }).once('error', reject)
  })

describe('network settings', () => {
  it('say what will change, are applied, and what the page does not know stays', async () => {
    const person = await come('network', 'Network')
    const { page } = person
    person.expected.push(REFUSED)
    const file = join(desk.server.folders.root, 'etc/network.json')
    await page.getByLabel('Host name').fill('browser-made')
    await page.getByLabel('Interface').fill('eth0')
    await page.getByLabel('Address configuration').selectOption('static')
    await page.getByLabel('IP address').fill('10.1.2.3')
    await page.getByLabel('Netmask').fill('24')
    await page.getByLabel('Gateway').fill('10.1.2.1')
    await page.getByRole('button', { name: 'Review and apply' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('You may lose the connection to this page').waitFor()
    await dialog.getByRole('row', { name: /browser-made/ }).waitFor()
    await dialog.getByRole('link', { name: /10\.1\.2\.3/ }).waitFor()
    await dialog.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('completed').waitFor()
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ hostname: 'browser-made', ip_address: '10.1.2.3' })
  })

  it('that are no settings are refused in the appliance’s words, and change nothing', async () => {
    const person = await come('network', 'Network')
    const { page } = person
    person.expected.push(REFUSED)
    const file = join(desk.server.folders.root, 'etc/network.json')
    const before = readFileSync(file, 'utf8')
    await page.getByLabel('Gateway').fill('10.1.2.3')
    await page.getByRole('button', { name: 'Review and apply' }).click()
    // At its field, and nobody was asked to confirm what would be refused.
    await page.locator('.wrong', { hasText: 'Expected another address than ip_address' }).waitFor()
    await expectFocus(page, 'Gateway')
    expect(await page.getByRole('dialog').count()).toBe(0)
    await page.getByLabel('Gateway').fill('10.1.2.1')
    await page.getByLabel('Host name').fill('nas_1!')
    await page.getByRole('button', { name: 'Review and apply' }).click()
    await expectFocus(page, 'Host name')
    expect(readFileSync(file, 'utf8')).toBe(before)
  })
})

describe('a certificate', () => {
  const make = (name: string) => {
    const folder = temporaryFolder()
    const [cert, key] = [join(folder, 'public.pem'), join(folder, 'private.pem')]
    const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`]
    const pair = ['-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert]
    execFileSync('openssl', ['req', '-x509', '-days', '20', ...pair, ...subject], { stdio: 'ignore' })
    return { cert, key }
  }

  it('is shown, replaced and served, while the page goes on', async () => {
    const person = await come('certificates', 'Certificates')
    const { page } = person
    person.expected.push(CUT, /ERR_/)
    await page.getByText('self-signed').waitFor()
    const { cert, key } = make('browser-made.example')
    await page.getByLabel('Certificate', { exact: true }).setInputFiles(cert)
    await page.getByLabel('Private key').setInputFiles(key)
    await page.getByRole('button', { name: 'Replace certificate' }).click()
    await page.getByText('The new certificate is in use').waitFor()
    expect(await served()).toBe('browser-made.example')
    await page.getByRole('button', { name: 'Reload page' }).click()
    await page.getByText('CN=browser-made.example').first().waitFor()
    await page.getByText(/19 days left|20 days left/).waitFor()
  })

  it('with the key of another is refused, and the old one is served on', async () => {
    const person = await come('certificates', 'Certificates')
    const { page } = person
    person.expected.push(REFUSED)
    await page.getByLabel('Certificate', { exact: true }).setInputFiles(make('one.example').cert)
    await page.getByLabel('Private key').setInputFiles(make('other.example').key)
    await page.getByRole('button', { name: 'Replace certificate' }).click()
    // At the file that is wrong.
    await page
      .locator('.wrong', { hasText: /certificate/i })
      .first()
      .waitFor()
    await expectFocus(page, 'Private key')
    expect(await served()).toBe('browser-made.example')
  })
})

describe('a backup', () => {
  it('is made, downloaded, and brings back what was lost', async () => {
    const person = await come('backup', 'Backup and restore')
    const { page } = person
    person.expected.push(REFUSED)
    const { data, root } = desk.server.folders
    const list = readFileSync(join(root, 'etc/backup.txt'), 'utf8')
    mkdirSync(join(data, 'kept'), { recursive: true })
    const file = join(data, 'kept/precious.txt')
    writeFileSync(join(root, 'etc/backup.txt'), `${list}kept\n`)
    writeFileSync(file, 'precious\n')
    await page.getByRole('button', { name: 'Create backup' }).click()
    await page.getByText('complete', { exact: true }).waitFor()
    const waiting = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Download' }).click()
    const archive = await (await waiting).path()
    expect(execFileSync('tar', ['-tf', archive], { encoding: 'utf8' })).toContain('precious.txt')
    rmSync(file)
    await page.getByLabel('Backup archive').setInputFiles(archive)
    await page.getByRole('button', { name: 'Restore archive' }).click()
    await page.getByRole('dialog').getByText('Current data will be replaced').waitFor()
    await page.getByRole('button', { name: 'Replace data' }).click()
    await page.getByText('The backup was restored.').waitFor()
    expect(readFileSync(file, 'utf8')).toBe('precious\n')
  })

  it('that is none is refused, and nothing is changed', async () => {
    const person = await come('backup', 'Backup and restore')
    const { page } = person
    person.expected.push(REFUSED)
    const junk = { name: 'backup.tar', mimeType: 'application/x-tar', buffer: Buffer.from('this is no archive') }
    await page.getByLabel('Backup archive').setInputFiles(junk)
    await page.getByRole('button', { name: 'Restore archive' }).click()
    await page.getByRole('button', { name: 'Replace data' }).click()
    await page.getByRole('alert').first().waitFor()
    expect(readFileSync(join(desk.server.folders.data, 'kept/precious.txt'), 'utf8')).toBe('precious\n')
  })
})
