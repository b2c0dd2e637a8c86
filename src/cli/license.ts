// `edge-admin license`: the vendor's side of our own licenses. A new private key never replaces an existing one, or
// every license already sold would have to be signed again.
import { generateKeyPairSync } from 'node:crypto'
import { lstatSync } from 'node:fs'
import { makeFile } from '../features/installation/layout.ts'
import { readLicense, signLicense } from '../features/license/license.ts'
import { writeAtomic } from '../store/atomic.ts'
import { edited, Failure, type Io, type Main, parse, required, say, UsageError } from './command.ts'

const ACTIONS = new Map<string, Main>([
  ['keygen', keygen],
  ['sign', sign],
  ['verify', verify],
])

export async function license([action = '', ...args]: string[], io: Io): Promise<number> {
  const main = ACTIONS.get(action)
  if (!main)
    throw new UsageError(`${action ? `unknown action ${action}` : 'an action is missing'}: keygen, sign or verify`)
  return main(args, io)
}

async function keygen(args: string[], io: Io): Promise<number> {
  const prefix = required(parse(args, { out: { type: 'string' } }).values.out, '--out')
  const [privateFile, publicFile] = [`${prefix}.priv`, `${prefix}.pub`]
  for (const file of [privateFile, publicFile]) {
    if (lstatSync(file, { throwIfNoEntry: false })) throw new Failure(`${file}: exists already`)
  }
  const pair = generateKeyPairSync('ed25519')
  const privatePem = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string
  for (const file of [...makeFile(privateFile, privatePem, 0o600), ...makeFile(publicFile, publicPem, 0o644)]) {
    say(io.stdout, `made ${file}`)
  }
  return 0
}

async function sign(args: string[], io: Io): Promise<number> {
  const { values } = parse(args, { key: { type: 'string' }, in: { type: 'string' }, out: { type: 'string' } })
  const key = edited(required(values.key, '--key'))
  const text = edited(required(values.in, '--in'))
  const out = required(values.out, '--out')
  writeAtomic(out, signLicense(text, key), 0o644)
  say(io.stdout, `made ${out}`)
  return 0
}

async function verify(args: string[], io: Io): Promise<number> {
  const { values, positionals } = parse(args, { pub: { type: 'string' } }, ['FILE'])
  const publicKey = edited(required(values.pub, '--pub'))
  const found = readLicense(edited(positionals[0] as string), publicKey)
  say(io.stdout, JSON.stringify(found, null, 2))
  return 0
}
