// One thing that `edge-admin check` looked at, and how it is. The trap: ids are what scripts go by: one that was shipped keeps its meaning.

/** From best to worst. A note tells something and asks for nothing; a warning or an error is wrong. */
export const LEVELS = ['ok', 'note', 'warning', 'error'] as const
export type Level = (typeof LEVELS)[number]

export interface Finding {
  /** AREA.FACT, such as `keys.missing`. The same for every file that it is true of: `subject` says which. */
  id: string
  level: Level
  /** What was looked at: a path, a program, a key of the configuration. */
  subject: string
  /** How it is, in words that follow the subject and a colon. */
  message: string
  /** One sentence or command; empty where nothing is to be done. */
  mend: string
}

const made =
  (level: Level) =>
  (id: string, subject: string, message: string, mend: string): Finding => ({ id, level, subject, message, mend })

export const ok = (id: string, subject: string, message: string) => made('ok')(id, subject, message, '')
export const note = (id: string, subject: string, message: string, mend = '') =>
  made('note')(id, subject, message, mend)
export const warning = made('warning')
export const error = made('error')

export const isWrong = ({ level }: Finding) => level === 'warning' || level === 'error'

/** What this user may not look at is no fault of the appliance. */
export const unseen = (area: string, subject: string) =>
  note(`${area}.unseen`, subject, 'this user may not look at it, so it was not looked at', 'Run the check as root.')

/** Worst first, and the order of the looks within a level. */
export const worstFirst = (findings: readonly Finding[]) =>
  findings.toSorted((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level))
