// Words that the server itself writes as an actor, in the audit log and in tasks. An account must not have such a name,
// or the log would be ambiguous.

/**
 * Without `admin`: the first account has that name. In the original's line it means the API token, so accounts are
 * marked there.
 */
const WORDS: readonly string[] = ['token', 'nobody', 'system', 'local', 'account']
/** The original's name for the appliance's one token. */
export const ORIGINAL_WORD = 'admin'
/** No account name can contain this. */
const MARK = '@account'

/** Lookalikes, mapped to plain letters: a person reads `T0ken`, `to-ken` and a Cyrillic `о` as `token`. */
const LOOKALIKES: Record<string, string> = {
  ...{ '0': 'o', '1': 'l', '3': 'e', '5': 's', $: 's', '@': 'a', i: 'l', '|': 'l' },
  ...{
    а: 'a',
    с: 'c',
    е: 'e',
    о: 'o',
    ѕ: 's',
    у: 'y',
    һ: 'h',
    ο: 'o',
    α: 'a',
    ε: 'e',
    κ: 'k',
    к: 'k',
    т: 't',
    τ: 't',
    ν: 'n',
    м: 'm',
  },
  ...{ ı: 'l', і: 'l', ӏ: 'l', ι: 'l', в: 'b', ь: 'b', ԁ: 'd', п: 'n' },
}

const skeleton = (name: string) =>
  [...name.normalize('NFKD').toLowerCase()]
    .filter((character) => !/[\p{M}\p{Cf}\s._-]/u.test(character))
    .map((character) => LOOKALIKES[character] ?? character)
    .join('')

const SKELETONS = new Set(WORDS.map(skeleton))

/** Whether new accounts may not use this name. */
export const isReservedName = (name: string): boolean => SKELETONS.has(skeleton(name))

/**
 * An account's name in the audit log. An existing account with a reserved name gets a mark, so that it is not mistaken
 * for the server itself.
 */
export const accountLabel = (name: string): string => (isReservedName(name) ? `${name}${MARK}` : name)

/** The same for the original's line, where `admin` means the API token. */
export const lineLabel = (name: string): string =>
  name.toLowerCase() === ORIGINAL_WORD ? `${name}${MARK}` : accountLabel(name)
