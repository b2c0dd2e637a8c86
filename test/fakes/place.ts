// `tsx place.ts FOLDER`: the fake programs for a shell script (the demo). The trap: it prints where they are; they know their world by themselves.
import { join, resolve } from 'node:path'
import { installFakes } from './install.ts'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new Error('a folder is needed')
const { programs, folder: world } = installFakes(resolve(folder))
process.stdout.write(`programs=${programs}\nexports=${join(world, 'exports.d')}\n`)
