// The lock of a dataset's tasks, whose name is a hash because a dataset's name may be too long for a file's. The trap: scripts/zfs.sh
// computes the same name.
import { createHash } from 'node:crypto'

export const datasetLock = (name: string) => `dataset-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
