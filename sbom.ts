// Reads the bill of materials that npm prints (CycloneDX) and prints it again without what differs from run to run. The trap: a serial
// number and a time would make two archives of the same sources different.
import { readFileSync } from 'node:fs'

const { serialNumber, ...bom } = JSON.parse(readFileSync(0, 'utf8'))
if (!serialNumber || bom.bomFormat !== 'CycloneDX')
  throw new Error('npm printed something else than a bill of materials')
delete bom.metadata.timestamp
delete bom.metadata.tools
bom.metadata.component.name = 'edge-admin'
bom.metadata.component.type = 'application'
process.stdout.write(`${JSON.stringify(bom, null, 2)}\n`)
