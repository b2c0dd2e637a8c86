// Numbers as people read them. Bytes are in powers of 1024, as in ZFS and df.

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']

export function bytes(value: number): string {
  let unit = 0
  let left = value
  for (; left >= 1024 && unit < UNITS.length - 1; unit++) left /= 1024
  return `${left < 10 && unit > 0 ? left.toFixed(1) : Math.round(left)} ${UNITS[unit]}`
}

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' })
const SINCE = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' })
const STEPS: [Intl.RelativeTimeFormatUnit, number][] = [
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
]

export const moment = (iso: string): string => MOMENT.format(new Date(iso))

/** `3 minutes ago` */
export function since(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000
  for (const [unit, size] of STEPS) if (Math.abs(seconds) >= size) return SINCE.format(Math.round(seconds / size), unit)
  return SINCE.format(Math.round(seconds), 'second')
}

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`
