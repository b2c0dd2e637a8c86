// Keeps the heap of a server that runs for months close to what it needs. V8's defaults favor speed: after a burst of
// requests it kept twice the memory of the start, and returned it only when it happened to collect again.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Milliseconds between two checks whether the server is idle. */
const LOOK = 5000
/** An idle server uses at most this fraction of a processor. */
const REST = 0.1
/** Bytes of garbage or of new objects that justify a collection of some 15 ms. */
const WORTH = 1 << 20

/**
 * When idle: the old generation is collected once it has grown by 15 per cent or two megabytes, and the young one keeps
 * its initial size.
 */
const SMALL = ['--heap-growing-percent=15', '--semi-space-growth-factor=1']
/**
 * Under load: V8's defaults. With the small settings a request cost 70 us of processor time instead of 43, most of it
 * collecting.
 */
const FAST = ['--heap-growing-percent=0', '--semi-space-growth-factor=2']

const use = (flags: readonly string[]) => flags.forEach((flag) => void setFlagsFromString(flag))

/**
 * A full collection of our 17 MB takes some 15 ms, and an idle appliance should not hold what a burst took. (The two
 * megabytes would be eight without `--optimize-for-size`, which costs a start more than it gains and is set after it.)
 * Rarely called functions get no machine code: Sparkplug's is meant for pages that must be fast at once, and cost 4 MB;
 * hot functions still get TurboFan's. A flag unknown to a later V8 only costs a line on standard error. Works for every
 * way of starting the program; `scripts/edge-admin` adds the flags that must be set before.
 */
export function keepHeapSmall(): void {
  use([...SMALL, '--optimize-for-size', '--no-sparkplug'])
}

/**
 * Lets the heap grow while the server is busy, and collects once it is idle: V8 does little by itself without requests.
 * The collection compacts, or pages with a few live objects would stay allocated; under load that would cost more than
 * it gains. `collect` exists if Node was started with `--expose-gc`, as by `scripts/edge-admin`; without it the heap
 * stays small.
 */
export function collectAtRest(collect = globalThis.gc, look = LOOK): void {
  if (!collect) return
  let cpu = process.cpuUsage()
  let left = 0
  let busy = false
  setInterval(() => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    const was = busy
    busy = (user + system) / 1000 > look * REST
    if (busy !== was) use(busy ? FAST : SMALL)
    if (busy || held() < left + WORTH) return
    setFlagsFromString('--compact-on-every-full-gc')
    collect()
    setFlagsFromString('--no-compact-on-every-full-gc')
    left = held()
  }, look).unref()
}

function held(): number {
  const { used_heap_size, external_memory } = getHeapStatistics()
  return used_heap_size + external_memory
}
