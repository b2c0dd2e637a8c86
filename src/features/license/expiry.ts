// The last day of a license: an ISO date, or the original's "19 January 2038". It is valid through that whole day, in
// UTC.

const MONTHS = 'January February March April May June July August September October November December'.split(' ')

/** The moment at which the license expires, in milliseconds since 1970; undefined for dates that do not exist. */
export function expiryTime(text: string): number | undefined {
  const iso = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text)
  if (iso) return dayAfter(Number(iso[1]), Number(iso[2]) - 1, Number(iso[3]))
  const words = /^(\d{1,2}) ([A-Z][a-z]+) (\d{4})$/.exec(text)
  return words ? dayAfter(Number(words[3]), MONTHS.indexOf(words[2] as string), Number(words[1])) : undefined
}

function dayAfter(year: number, month: number, day: number): number | undefined {
  const date = new Date(Date.UTC(year, month, day))
  // JavaScript silently turns 31 February into March, and the year 38 into 1938.
  if (date.getUTCFullYear() !== year || date.getUTCMonth() !== month || date.getUTCDate() !== day) return undefined
  return date.getTime() + 86_400_000
}
