// The speed of an upload and its remaining time, measured over the last seconds, so that a connection that becomes slow
// shows at once.

/** The measured period, in milliseconds. */
const SPAN = 10_000

export interface Pace {
  /** Bytes per second; undefined until there is something to measure. */
  speed: number | undefined
  /** Seconds. */
  left: number | undefined
}

export class PaceMeter {
  private readonly seen: { at: number; done: number }[] = []

  add(at: number, done: number, total: number): Pace {
    this.seen.push({ at, done })
    while (this.seen.length > 2 && at - (this.seen[0]?.at ?? at) > SPAN) this.seen.shift()
    const first = this.seen[0]
    // The first moments only fill buffers, and would promise too much.
    if (!first || at - first.at < 500) return { speed: undefined, left: undefined }
    const speed = ((done - first.done) * 1000) / (at - first.at)
    return { speed, left: speed > 0 ? (total - done) / speed : undefined }
  }
}

/** `about 3 minutes`; undefined when it is too long or too uncertain to show. */
export function duration(seconds: number): string {
  const units: [number, string][] = [
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
  ]
  const found = units.find(([size]) => seconds >= size)
  if (!found) return `${Math.max(1, Math.round(seconds))} s`
  const [size, unit] = found
  const count = Math.round(seconds / size)
  return `${count} ${unit}${count === 1 ? '' : 's'}`
}
