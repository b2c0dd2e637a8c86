// Names of users and groups to numbers and back. Digits are a number, as chown(1) would take them after it has found no
// such name; an account that is made later under that name must not change what was meant.
import type { SystemAccounts } from '../../drivers/system-accounts.ts'
import { invalid } from '../../errors.ts'
import { withToolErrors } from '../tool-failure.ts'

export type AccountType = 'user' | 'group'

const isNumber = (text: string) => /^\d+$/.test(text)

export class AccountNames {
  private readonly system: SystemAccounts

  constructor(system: SystemAccounts) {
    this.system = system
  }

  /** The number of a user or group that exists, or that is in use already (`known`). */
  async idOf(type: AccountType, text: string, field: string, known: ReadonlySet<number> = new Set()): Promise<number> {
    if (isNumber(text) && known.has(Number(text))) return Number(text)
    const [found] = await this.find(type, [text])
    // A name service may compare names without regard to case; a number has to be the very same.
    if (found && (!isNumber(text) || found.id === Number(text))) return found.id
    throw invalid(`There is no such ${type}`, { details: { field } })
  }

  /** The name of a user or group that exists: digits are a number here as well. */
  async nameOf(type: AccountType, text: string): Promise<string | undefined> {
    const [found] = await this.find(type, [text])
    if (!found || (isNumber(text) && found.id !== Number(text))) return undefined
    return isNumber(text) ? found.name : text
  }

  /** The names of these numbers; a number without a name is missing. */
  async namesOf(type: AccountType, ids: Iterable<number>): Promise<Map<number, string>> {
    const found = await this.find(type, [...new Set(ids)].map(String))
    return new Map(found.map(({ id, name }) => [id, name]))
  }

  private async find(type: AccountType, keys: string[]): Promise<{ id: number; name: string }[]> {
    // Without a key it would list everybody.
    if (keys.length === 0) return []
    return withToolErrors(undefined, async () => {
      if (type === 'user') return (await this.system.users(...keys)).map(({ uid, name }) => ({ id: uid, name }))
      return (await this.system.groups(...keys)).map(({ gid, name }) => ({ id: gid, name }))
    })
  }
}
