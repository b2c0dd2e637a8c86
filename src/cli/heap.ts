// Keeps the heap of a server that runs for months close to what it needs. V8's defaults are for speed: after a burst of requests it kept
// twice the memory of the start, and gave it back only when it happened to collect again.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Milliseconds between two looks at a server that may be at rest. */
const LOOK = 5000
/** At rest, this part of a processor's time is used at most. */
const REST = 0.1
/** Bytes of garbage, or of what is new, that are worth a collection of some 15 ms. */
const WORTH = 1 << 20

/** At rest: the old generation is collected once it has grown by 15 per cent, or two megabytes, and the young one keeps its first size. */
const SMALL = ['--heap-growing-percent=15', '--semi-space-growth-factor=1']
/** Under load: V8's own ways. With the small ones a request cost 70 us of processor time instead of 43, most of it spent collecting. */
const FAST = ['--heap-growing-percent=0', '--semi-space-growth-factor=2']

const use = (flags: readonly string[]) => flags.forEach((flag) => void setFlagsFromString(flag))

/**
 * A full collection of our 17 MB takes some 15 ms, and an idle appliance should not hold what a burst took. (The two megabytes are eight without
 * `--optimize-for-size`, which costs a start more than it gives and is set after it.) What is called a little gets no machine code: Sparkplug's is
 * for a page that must be fast at once, and cost 4 MB; what is called often gets TurboFan's all the same. A flag that a later V8 does not know
 * only costs a line on standard error. Works for every way of starting the program; `scripts/edge-admin` adds what has to be known before it starts.
 */
export function keepHeapSmall(): void {
  use([...SMALL, '--optimize-for-size', '--no-sparkplug'])
}

/**
 * Lets the heap grow while the server is busy, and collects once it is at rest: V8 does little by itself while nothing is asked. With compaction, or
 * the pages that a few objects are left on stay ours; under load that would cost more than it gives. `collect` is there where Node was started with
 * `--expose-gc`, as by `scripts/edge-admin`; without it the heap stays small.
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
