// What tests hand to a part of the program, and the program itself does not: each is named here, with what stands in for it when the program
// runs. One that is not named would work in tests only, as a standard input did that main.ts did not pass on.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'

const REPOSITORY = resolve(import.meta.dirname, '../..')
const text = (file: string) => readFileSync(join(REPOSITORY, file), 'utf8')

/** The members that an interface declares. */
function members(file: string, name: string): string[] {
  const body = new RegExp(`\\ninterface ${name}(?: extends [A-Za-z]+)? \\{\\n([\\s\\S]*?)\\n\\}`).exec(
    text(file).replaceAll('export interface', 'interface'),
  )
  return [...(body?.[1] ?? '').matchAll(/^ {2}([A-Za-z]+)\??: /gm)].map(([, member]) => member!)
}

/** The names at the first depth of the object whose members follow `opening`. */
function passed(file: string, opening: string): string[] {
  const source = text(file).replace(/^\s*\/\/.*$/gm, '')
  const from = source.indexOf(opening) + opening.length
  expect(from).toBeGreaterThan(opening.length)
  const names: string[] = []
  let depth = 0
  let line = ''
  for (let i = from; i < source.length; i++) {
    const c = source[i] as string
    if (depth === 0 && c === '}') return [...names, ...nameOf(line)]
    if ('({['.includes(c)) depth++
    if (')}]'.includes(c)) depth--
    if (depth === 0 && c === ',') {
      names.push(...nameOf(line))
      line = ''
    } else line += c
  }
  return names
}
const nameOf = (part: string) =>
  // `...(x !== undefined && { x })` hands over what is in its braces.
  (/^\s*\.\.\.\(.*\{ ?([A-Za-z]+)/s.exec(part) ?? /^\s*(?:async |get )?([A-Za-z]+)/.exec(part))?.slice(1) ?? []

it.each([
  [
    'what an application is made of',
    'src/app.ts',
    'AppOptions',
    'src/cli/serve.ts',
    'createApp({',
    {
      page: 'the built page that lies beside the program',
      checkResponses: 'off: an answer of another form than declared is a fault of ours, and no reason to fail',
    },
  ],
  [
    'what an appliance is made of',
    'src/appliance.ts',
    'ApplianceOptions',
    'src/cli/serve.ts',
    'createApp({',
    {
      now: 'Date.now',
      clock: 'the clocks of the machine',
    },
  ],
  [
    'what a listener is made of',
    'src/http/server/listener.ts',
    'ListenOptions',
    'src/cli/serve.ts',
    'listen({',
    {
      timing: 'the times that are written in timing.ts',
    },
  ],
  ['what a command gets', 'src/cli/command.ts', 'Io', 'src/main.ts', 'run(process.argv.slice(2), {', {}],
])('%s', (_, file, name, caller, opening, stood) => {
  const declared = members(file, name)
  expect(declared.length).toBeGreaterThan(3)
  const handed = passed(caller, opening)
  expect(declared.filter((member) => !handed.includes(member)).sort()).toEqual(Object.keys(stood).sort())
})
