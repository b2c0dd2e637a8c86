// The output of `edge-admin check --json`; docs/check.schema.json describes it for other programs. Members may be
// added; none is removed or changed.
import * as z from 'zod'
import { type Finding, LEVELS } from './finding.ts'
import type { Place } from './place.ts'

const Count = z.int().min(0)

export const CheckDocument = z.strictObject({
  format: z.literal(1),
  version: z.string().describe('of Edge Admin'),
  at: z.iso.datetime().describe('by the clock of the machine'),
  user: Count.describe('number of the user who looked'),
  folders: z.strictObject({ root: z.string(), sysconf: z.string(), data: z.string(), state: z.string() }),
  well: z.boolean().describe('nothing is wrong: exit status 0'),
  counts: z.strictObject({ ok: Count, note: Count, warning: Count, error: Count }),
  findings: z.array(
    z.strictObject({
      id: z
        .string()
        .regex(/^[a-z]+\.[a-z-]+$/)
        .describe('AREA.FACT; keeps its meaning'),
      level: z.enum(LEVELS).describe('warning and error are wrong'),
      subject: z.string().describe('what was looked at: a path, a program'),
      message: z.string(),
      mend: z.string().describe('a command or a sentence; empty where nothing is to be done'),
    }),
  ),
})
export type CheckDocument = z.infer<typeof CheckDocument>

export function checkDocument(
  { now, me, folders }: Place,
  version: string,
  findings: Finding[],
  well: boolean,
): CheckDocument {
  const count = (level: Finding['level']) => findings.filter((one) => one.level === level).length
  return {
    format: 1,
    version,
    at: new Date(now).toISOString(),
    user: me.uid,
    folders: { ...folders },
    well,
    counts: { ok: count('ok'), note: count('note'), warning: count('warning'), error: count('error') },
    findings,
  }
}
