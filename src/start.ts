#!/usr/bin/env node
// The file that Node reads first. One that is too old says so in one sentence instead of a stack: what it lacks it would miss while it links
// the program, before a line of that runs. Hence no static import here; build.ts writes this down in the JavaScript of ten years ago.

/** Of package.json, such as `20.19`. */
declare const NEEDED: string

const parts = process.versions.node.split('.')
const least = NEEDED.split('.')
const isOld =
  Number(parts[0]) < Number(least[0]) ||
  (Number(parts[0]) === Number(least[0]) && Number(parts[1]) < Number(least[1] || 0))

const refuse = () => {
  process.stderr.write(
    `edge-admin: this needs Node ${NEEDED} or newer, and ${process.execPath} is ${process.versions.node}\n`,
  )
  // sysexits.h: EX_UNAVAILABLE.
  process.exit(69)
}

if (isOld) refuse()
else
  import('./main.ts').catch((error) => {
    // The first releases of a younger line lack what came to ours later.
    if (error instanceof SyntaxError && /does not provide an export/.test(error.message)) refuse()
    throw error
  })
