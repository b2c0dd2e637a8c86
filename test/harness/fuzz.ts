// How generated tests choose: the same cases in every `make test`, other ones and more of them in `make fuzz`. A test
// that draws lots by itself (Math.random) can fail once and never again; it takes `SEED`, or fast-check's numbers.
import fc from 'fast-check'

/** Of every choice that a test leaves to chance. */
export const SEED = Number(process.env['SEED'] ?? 20_240_607) | 0
/** How many times the usual number of runs. */
export const FUZZ = Math.max(1, Number(process.env['FUZZ']) || 1)

/** A number of runs, for `numRuns`: where the usual hundred are too many or too few. */
export const runs = (usual: number): number => usual * FUZZ

// Also a setup file of vitest.config.ts: read before any test, it decides for every fc.assert and fc.sample.
fc.configureGlobal({ seed: SEED, numRuns: runs(100) })
