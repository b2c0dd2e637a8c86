// The lock name of a dataset's tasks: a hash, because a dataset's name may be too long for a file name. scripts/zfs.sh
// computes the same name and must stay in step.
import { createHash } from 'node:crypto'

export const datasetLock = (name: string) => `dataset-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
