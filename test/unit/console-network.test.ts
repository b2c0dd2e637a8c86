// What the console's network page sends. POST /settings replaces the document, so a member that the page has no field
// for must come out as it went in; and what it sends has to be what the appliance takes.
import { describe, expect, it } from 'vitest'
import { readSettings } from '../../src/features/settings/settings.ts'
import {
  changesOf,
  draftOf,
  movesAddress,
  newAddress,
  type Settings,
  settingsOf,
} from '../../src/page/pages/network/document.ts'

const STORED: Settings = {
  network: {
    mode: 'static',
    interface: 'eth0',
    hostname: 'nas1',
    ip_address: '10.0.0.5',
    netmask: '255.255.255.0',
    gateway: '10.0.0.1',
    dns1: '10.0.0.2',
  },
  app: { greeting: 'hello', retries: 3, shown: true, hosts: ['a', 'b'], nested: { deep: null } },
}

describe('the settings that the console sends', () => {
  it('are what is stored, when nothing was edited', () => {
    const sent = settingsOf(STORED, draftOf(STORED))
    expect(sent.app).toEqual(STORED.app)
    expect(changesOf(STORED, sent)).toEqual([])
    expect(readSettings(JSON.stringify(sent), 'strict').mode).toBe('static')
  })

  it('keep a member of the network that the page does not know', () => {
    const stored = { ...STORED, network: { ...STORED.network, vlan: '7' } }
    expect(settingsOf(stored, draftOf(stored)).network['vlan']).toBe('7')
  })

  it('have no address when it shall come from DHCP, and the appliance agrees', () => {
    const sent = settingsOf(STORED, { ...draftOf(STORED), mode: 'dhcp' })
    expect(Object.keys(sent.network).sort()).toEqual(['dns1', 'hostname', 'interface'])
    expect(readSettings(JSON.stringify(sent), 'strict').mode).toBe('dhcp')
  })

  it('keep the kinds of the application’s members, and refuse what is none', () => {
    const draft = draftOf(STORED)
    const put = (name: string, text: string) => ({
      ...draft,
      app: draft.app.map((member) => (member.name === name ? { ...member, text } : member)),
    })
    expect(settingsOf(STORED, put('retries', '4')).app['retries']).toBe(4)
    expect(settingsOf(STORED, put('shown', 'false')).app['shown']).toBe(false)
    expect(settingsOf(STORED, put('greeting', '5')).app['greeting']).toBe('5')
    expect(settingsOf(STORED, put('hosts', '["c"]')).app['hosts']).toEqual(['c'])
    expect(() => settingsOf(STORED, put('retries', 'many'))).toThrow('retries: expected a number')
    expect(() => settingsOf(STORED, put('retries', '"4"'))).toThrow('retries: expected a number')
    expect(() => settingsOf(STORED, put('hosts', '["c"'))).toThrow('hosts: expected JSON')
  })
})

describe('what the console says of a change', () => {
  const edited = (network: Record<string, string>) => {
    const draft = draftOf(STORED)
    return settingsOf(STORED, { ...draft, network: { ...draft.network, ...network } })
  }

  it('names each member, old and new', () => {
    expect(changesOf(STORED, edited({ ip_address: '10.0.0.9', dns1: '', dns2: '10.0.0.3' }))).toEqual([
      { name: 'ip_address', label: 'IP address', from: '10.0.0.5', to: '10.0.0.9' },
      { name: 'dns1', label: 'First DNS server', from: '10.0.0.2', to: '' },
      { name: 'dns2', label: 'Second DNS server', from: '', to: '10.0.0.3' },
    ])
  })

  it('names the way to the address when that changes, and members of the application', () => {
    const sent = settingsOf(STORED, { ...draftOf(STORED), mode: 'dhcp', app: [] })
    const labels = changesOf(STORED, sent).map(({ label }) => label)
    expect(labels).toContain('Address configuration')
    expect(labels).toContain('Application: retries')
  })

  it('warns when the appliance may be found elsewhere afterwards, and only then', () => {
    expect(movesAddress(changesOf(STORED, edited({ ip_address: '10.0.0.9' })))).toBe(true)
    expect(movesAddress(changesOf(STORED, edited({ interface: 'eth1' })))).toBe(true)
    expect(movesAddress(changesOf(STORED, settingsOf(STORED, { ...draftOf(STORED), mode: 'dhcp' })))).toBe(true)
    expect(movesAddress(changesOf(STORED, edited({ hostname: 'nas2', dns1: '10.0.0.3' })))).toBe(false)
  })

  it('says where to go, and nothing when only the DHCP server knows', () => {
    expect(newAddress(edited({ ip_address: '10.0.0.9' }), '8443')).toBe('https://10.0.0.9:8443/')
    expect(newAddress(edited({ ip_address: '2001:db8::9' }), '')).toBe('https://[2001:db8::9]/')
    expect(newAddress(settingsOf(STORED, { ...draftOf(STORED), mode: 'dhcp' }), '8443')).toBeUndefined()
  })

  it('does not call an application’s member of the same name a move', () => {
    const sent = settingsOf(STORED, { ...draftOf(STORED), app: [{ name: 'interface', kind: 'text', text: 'x' }] })
    expect(movesAddress(changesOf(STORED, sent))).toBe(false)
  })
})
