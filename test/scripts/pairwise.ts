// Which faults a checkpoint meets in which shell. A checkpoint is the same few lines of sh in both, so each meets every fault in dash, and in
// busybox ash one of them, in turn: each checkpoint meets both shells and all faults.
export const FAULTS = ['error', 'kill'] as const
export type Fault = (typeof FAULTS)[number]

export function faultsIn(
  shell: string,
  checkpoints: readonly string[],
): (readonly [checkpoint: string, fault: Fault])[] {
  return checkpoints.flatMap((checkpoint, n) =>
    FAULTS.filter((_, which) => shell === 'dash' || which === n % FAULTS.length).map(
      (fault) => [checkpoint, fault] as const,
    ),
  )
}
