// Renders network.conf for the vendor's network.sh, which sources it. Which lines are quoted is part of the contract:
// some scripts parse the unquoted ones without a shell.

import { type Assignment, shellAssignments } from '../../store/shell-file.ts'
import type { Network } from './network.ts'
import type { Mode } from './upload/fields.ts'

export function networkConf(network: Network, mode: 'static' | 'dhcp', as: Mode): string {
  const dns = [network.dns1, network.dns2].filter(Boolean).join(' ')
  const lines: Assignment[] = [
    ['mode', mode, 'bare'],
    ['interface', network.interface, 'bare'],
  ]
  if (mode === 'static') {
    // The original's test: 999.1.1.1 counts as IPv4 here. Real addresses are checked before.
    const subnet = /^\d+\.\d+\.\d+\.\d+$/.test(network.ip_address) ? 'subnet' : 'subnet_ipv6'
    lines.push(['ip', network.ip_address, 'bare'], [subnet, network.netmask, 'bare'])
    if (network.gateway !== '') lines.push(['router', network.gateway, 'bare'])
    lines.push(['dns', dns])
    // The original drops them with DHCP, although GET shows them.
  } else if (dns !== '' && as === 'strict') lines.push(['dns', dns])
  lines.push(['hostname', network.hostname], ['ntpserver', network.ntpserver])
  return shellAssignments(lines)
}
