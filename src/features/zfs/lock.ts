// The lock of a dataset's tasks. The trap: scripts/zfs.sh makes the same name for itself, and a dataset's own name may be too long for a file's.
import { createHash } from 'node:crypto'

export const datasetLock = (name: string) => `dataset-${createHash('sha256').update(name).digest('hex').slice(0, 32)}`
