// Prints the findings for people: problems first, each with its fix below it; what is in order is only counted.
import { type Finding, LEVELS, worstFirst } from './finding.ts'

const many = (count: number, word: string) => `${count} ${word}${count === 1 ? '' : 's'}`

export function reportLines(findings: readonly Finding[]): string[] {
  const told = worstFirst(findings).filter(({ level }) => level !== 'ok')
  const lines = told.flatMap(({ id, level, subject, message, mend }) => [
    `${level.padEnd(8)} ${subject}: ${message} [${id}]`,
    ...(mend === '' ? [] : [`         ${mend}`]),
  ])
  const count = Object.fromEntries(LEVELS.map((level) => [level, findings.filter((one) => one.level === level).length]))
  const total = `${many(count['error']!, 'error')}, ${many(count['warning']!, 'warning')}, ${many(count['note']!, 'note')}; ${count['ok']} in order`
  return [...lines, total]
}
