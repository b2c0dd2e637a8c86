// One result of `edge-admin check`. Scripts depend on the IDs: an ID keeps its meaning once it has been released.

/** From best to worst. A note is only information; a warning or an error is a problem. */
export const LEVELS = ['ok', 'note', 'warning', 'error'] as const
export type Level = (typeof LEVELS)[number]

export interface Finding {
  /** AREA.FACT, such as `keys.missing`. It is the same for every file with the problem; `subject` names the file. */
  id: string
  level: Level
  /** What was checked: a path, a program, a key of the configuration. */
  subject: string
  /** The result, as words that follow the subject and a colon. */
  message: string
  /** How to fix it: one sentence or command; empty if nothing has to be done. */
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

/** It is not the appliance's fault if this user may not read something. */
export const unseen = (area: string, subject: string) =>
  note(`${area}.unseen`, subject, 'this user may not look at it, so it was not looked at', 'Run the check as root.')

/** Worst first, and by the order of the checks within a level. */
export const worstFirst = (findings: readonly Finding[]) =>
  findings.toSorted((a, b) => LEVELS.indexOf(b.level) - LEVELS.indexOf(a.level))
