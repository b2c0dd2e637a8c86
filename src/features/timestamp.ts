// An instant as every answer has it: ISO 8601, in UTC.
import * as z from 'zod'

export const Timestamp = z.iso.datetime().meta({ id: 'Timestamp' })
