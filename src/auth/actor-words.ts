// The words that the product itself writes where an actor stands, in the audit log and beside tasks. An account must not be called like one of
// them, or who did something could not be told from its name.

/** `admin` is not among them: the first account is called so. The original's line has it for the API token, so accounts are marked there. */
const WORDS: readonly string[] = ['token', 'nobody', 'system', 'local', 'account']
/** What the original writes for the appliance's one token. */
export const ORIGINAL_WORD = 'admin'
/** No account's name can hold this. */
const MARK = '@account'

/** Letters that look like others, written as these: `T0ken`, `to-ken` and a Cyrillic `о` are read as `token` by a person. */
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

/** Whether no new account may have this name. */
export const isReservedName = (name: string): boolean => SKELETONS.has(skeleton(name))

/** An account's name in the audit log. An account that already had a reserved name gets a mark, so that it is not taken for the product itself. */
export const accountLabel = (name: string): string => (isReservedName(name) ? `${name}${MARK}` : name)

/** The same for the original's line, where the API token is called `admin`. */
export const lineLabel = (name: string): string =>
  name.toLowerCase() === ORIGINAL_WORD ? `${name}${MARK}` : accountLabel(name)
