// Keeps the heap of a server that runs for months close to what it needs. V8's defaults are for speed: after a burst of requests it kept
// twice the memory of the start, and gave it back only when it happened to collect again.
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** Milliseconds between two looks at a server that may be at rest. */
const LOOK = 5000
/** At rest, this part of a processor's time is used at most. */
const REST = 0.1
/** Bytes of garbage, or of what is new, that are worth a collection of some 15 ms. */
const WORTH = 1 << 20

/**
 * The old generation is collected once it has grown by 15 per cent, or two megabytes (eight without `--optimize-for-size`, which costs a start
 * more than it gives and is set after it), and the young one keeps its first size: a full collection of our 17 MB takes some 15 ms, and an idle
 * appliance should not hold what a burst took. What is called a little gets no machine code: Sparkplug's is for a page that must be fast at once,
 * and cost 4 MB; what is called often gets TurboFan's all the same. A flag that a later V8 does not know only costs a line on standard error.
 * Works for every way of starting the program; `scripts/edge-admin` adds what has to be known before it starts.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=15')
  setFlagsFromString('--optimize-for-size')
  setFlagsFromString('--no-sparkplug')
}

/**
 * Collects after a burst, once the server is at rest: V8 does little by itself while nothing is asked. With compaction, or the pages that a few
 * objects are left on stay ours; under load that would cost more than it gives. `collect` is there where Node was started with `--expose-gc`, as
 * by `scripts/edge-admin`.
 */
export function collectAtRest(collect = globalThis.gc, look = LOOK): void {
  if (!collect) return
  let cpu = process.cpuUsage()
  let left = 0
  setInterval(() => {
    const { user, system } = process.cpuUsage(cpu)
    cpu = process.cpuUsage()
    if ((user + system) / 1000 > look * REST || held() < left + WORTH) return
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
