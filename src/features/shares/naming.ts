// Which SMB shares name a share user or group in `valid users`, and which datasets are shared.

import { present, type Shares } from './shares.ts'

/** `@crew`, `+crew`, `&crew` are groups; a name alone may be either. */
export async function sharesNaming(
  { smb }: Pick<Shares, 'smb'>,
  name: string,
  kind: 'user' | 'group',
): Promise<{ object: string; reason: string }[]> {
  const isNamed = (entry: string) => {
    const [, mark = '', bare = ''] = /^([@+&]*)(.*)$/.exec(entry.toLowerCase()) ?? []
    return bare === name && (mark === '' ? kind === 'user' : kind === 'group')
  }
  return (await present(() => smb.all()))
    .filter((share) => share.valid_users.some(isNamed))
    .map((share) => ({ object: `shares/smb/${share.id}`, reason: `names it in the valid users of ${share.name}` }))
}

export async function sharedDatasets({ smb, nfs }: Pick<Shares, 'smb' | 'nfs'>): Promise<string[]> {
  const all = [...(await present(() => smb.all())), ...(await present(() => nfs.all()))]
  return [...new Set(all.flatMap(({ dataset }) => (dataset === undefined ? [] : [dataset])))]
}
