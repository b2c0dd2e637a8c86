// Which SMB shares name a share user or group, and which datasets are shared.
import { hostname } from 'node:os'
import { parseList, type Section } from '../../drivers/smb-conf.ts'
import { present, type Shares } from './shares.ts'

/** What names accounts. Whoever is made later under a name that is left in one of them gets what it gives. */
const PARAMETERS = [
  'valid users',
  'invalid users',
  'write list',
  'read list',
  'admin users',
  'force user',
  'force group',
] as const

export async function sharesNaming(
  { smb }: Pick<Shares, 'smb'>,
  name: string,
  kind: 'user' | 'group',
): Promise<{ object: string; reason: string }[]> {
  const sections = await present(() => smb.sections())
  return sections.flatMap(({ id, name: share, get, global }) => {
    const naming = PARAMETERS.filter((parameter) =>
      entriesOf(parameter, get(parameter)).some((entry) => isNamed(entry, { name, kind }, global)),
    )
    const words = naming.join(', ').replace(/, ([^,]*)$/, ' and $1')
    return naming.length > 0 ? [{ object: `shares/smb/${id}`, reason: `names it in the ${words} of ${share}` }] : []
  })
}

const entriesOf = (parameter: string, value = '') =>
  !parameter.startsWith('force ')
    ? parseList(value)
    : // One name, which may have blanks.
      [value.replaceAll('"', '')]

/**
 * `@crew`, `+crew`, `&crew` are groups; a name alone may be either. `SERVER\crew` and `crew@SERVER` are accounts of this
 * machine, as is one with Samba's own words for them; with another domain they are not.
 */
function isNamed(entry: string, { name, kind }: { name: string; kind: 'user' | 'group' }, global: Section): boolean {
  const [, mark = '', account = ''] = /^([@+&]*)(.*)$/.exec(entry.toLowerCase()) ?? []
  if (kind === 'user' && mark !== '') return false
  if (account === name) return true
  const plain = account.replace(global.parameters.get('winbind separator') ?? '\\', '\\')
  return domainsHere(global).some((domain) => plain === `${domain}\\${name}` || account === `${name}@${domain}`)
}

function domainsHere({ parameters }: Section): string[] {
  // NetBIOS allows 15 characters, and Samba cuts the name of the machine.
  const own = parameters.get('netbios name') ?? (hostname().split('.')[0] ?? '').slice(0, 15)
  const others = parseList(parameters.get('netbios aliases') ?? '')
  return [own, ...others, 'unix user', 'unix group'].map((domain) => domain.toLowerCase())
}

export async function sharedDatasets({ smb, nfs }: Pick<Shares, 'smb' | 'nfs'>): Promise<string[]> {
  const all = [...(await present(() => smb.all())), ...(await present(() => nfs.all()))]
  return [...new Set(all.flatMap(({ dataset }) => (dataset === undefined ? [] : [dataset])))]
}
