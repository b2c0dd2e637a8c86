// `lay-bundle.ts FOLDER`: writes the program of this source there, as `make build` does into dist/, unless it is there already.
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../build/bundle.ts'

const out = process.argv[2]
if (out === undefined) throw new Error('a folder is needed')
const start = join(out, 'edge-admin.js')
if (!existsSync(start)) {
  const { folder } = await bundle(out)
  writeFileSync(join(out, 'package.json'), '{"type":"module"}')
  // In the place of src/start.ts, which build/build.ts transforms; install.sh reads the folder from this line as well.
  writeFileSync(start, `await import(${JSON.stringify(`./${folder}/main.js`)})\n`)
}
