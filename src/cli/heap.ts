// Keeps the heap of a server that runs for months close to what it needs. V8's defaults are for speed: after a burst of requests it kept
// twice the memory of the start, and gave it back only when it happened to collect again.
import { setFlagsFromString } from 'node:v8'

/**
 * The old generation is collected once it has grown by 15 per cent, and the young one keeps its first size: a full collection of our
 * 17 MB takes some 15 ms, and an idle appliance should not hold what a burst took. A flag that a later V8 does not know only costs a line on
 * standard error. Works for every way of starting the program; `scripts/edge-admin` adds what has to be known before it starts.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1')
  setFlagsFromString('--heap-growing-percent=15')
}
