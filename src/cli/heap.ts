// Keeps the heap of a server that runs for months close to what it needs. V8's defaults favor speed: after a burst of
// requests it kept twice the memory of the start, and returned it only when it happened to collect again.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Milliseconds between two checks whether the server is busy. */
const LOOK = 1000
/** A busy server uses more than this fraction of a processor. */
const BUSY = 0.05
/**
 * Checks without load after which the server is at rest. A collection at rest also frees the hidden classes that only
 * requests use, and V8 then discards all machine code made for them: the next requests cost 400 us of processor time
 * instead of 40, for some thousand requests. So a pause of a few seconds must not count as rest.
 */
const QUIET = 10
/** Checks with load that a start may take. After more of them there was a burst before the first rest. */
const START = 10
/** Bytes of garbage or of new objects that justify a collection of some 15 ms. */
const WORTH = 1 << 20

/**
 * At rest: the old generation is collected once it has grown by 15 per cent or two megabytes, and the young one keeps
 * its initial size. (The two megabytes would be eight without `--optimize-for-size`.)
 */
const SMALL = ['--heap-growing-percent=15', '--semi-space-growth-factor=1', '--optimize-for-size']
/**
 * Under load: V8's defaults. With the small settings a request cost 70 us of processor time instead of 43, most of it
 * collecting; and with `--optimize-for-size` each collection of the old generation discards machine code, as at rest.
 */
const FAST = ['--heap-growing-percent=0', '--semi-space-growth-factor=2', '--no-optimize-for-size']

const use = (flags: readonly string[]) => flags.forEach((flag) => void setFlagsFromString(flag))

/**
 * A full collection of our 17 MB takes some 15 ms, and an idle appliance should not hold what a burst took. (Set as an
 * option of Node, `--optimize-for-size` costs a start more than it gains.) Rarely called functions get no machine code: Sparkplug's is meant for pages that must be fast at once, and cost 4 MB;
 * hot functions still get TurboFan's. A flag unknown to a later V8 only costs a line on standard error. Works for every
 * way of starting the program; `scripts/edge-admin` adds the flags that must be set before.
 */
export function keepHeapSmall(): void {
  use([...SMALL, '--no-sparkplug'])
}

/**
 * Lets the heap grow while the server is busy, and collects once it is idle: V8 does little by itself without requests.
 * The collection compacts, or pages with a few live objects would stay allocated; under load that would cost more than
 * it gains, and after a start, whose heap has no such pages, it only adds 8 MB of copies for eight seconds. `collect`
 * exists if Node was started with `--expose-gc`, as by `scripts/edge-admin`; without it the heap stays small.
 */
export function collectAtRest(collect = globalThis.gc, look = LOOK): void {
  if (!collect) return
  let cpu = process.cpuUsage()
  let left = 0
  let quiet = 0
  let busy = 0
  let isFast = false
  const set = (fast: boolean) => {
    if (fast !== isFast) use(fast ? FAST : SMALL)
    isFast = fast
  }
  setInterval(() => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    if ((user + system) / 1000 > look * BUSY) {
      quiet = 0
      busy += 1
      set(true)
      return
    }
    quiet += 1
    if (quiet < QUIET) return
    quiet = 0
    set(false)
    if (held() < left + WORTH) return
    if (left > 0 || busy > START) setFlagsFromString('--compact-on-every-full-gc')
    collect()
    setFlagsFromString('--no-compact-on-every-full-gc')
    left = held()
    // The collection is no load.
    cpu = process.cpuUsage()
  }, look).unref()
}

function held(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
