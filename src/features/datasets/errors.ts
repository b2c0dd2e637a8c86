// The error for a filesystem or volume that is not there.
import { notFound } from '../../errors.ts'

export const noDataset = (name: string) => notFound('dataset not found', { details: { object: name } })
