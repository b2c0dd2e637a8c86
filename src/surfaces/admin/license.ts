// POST and GET /license.
import type { Configuration } from '../../config.ts'
import { notFound } from '../../errors.ts'
import { JSON_TYPE, jsonText } from '../../http/reply/reply.ts'
import { define, PREFIX, waits } from './context.ts'
import { fileMissing } from './shapes.ts'

const COMMON = {
  path: `${PREFIX}/license`,
  tag: 'License',
  permission: 'administrator',
  enabled: ({ endpoints }: Configuration) => endpoints.includes('license'),
  // An object: the vendor's script decides on its members; ours prints the license.
  response: JSON_TYPE,
} as const

export const postLicense = define({
  ...COMMON,
  method: 'POST',
  id: 'postLicense',
  action: 'license.post',
  summary: 'Install a license; a rejected one changes nothing',
  form: {
    license: { kind: 'file', required: true, description: 'License file', limit: ({ limits }) => limits.license },
  },
  errors: [409, 413],
  async handle(call, { license, tasks }) {
    const file = call.files['license']
    if (!file) throw fileMissing('license')
    const by = waits(call, tasks, { action: 'license.post', target: '', path: COMMON.path })
    return jsonText(await license.install(file.path, by))
  },
})

export const getLicense = define({
  ...COMMON,
  method: 'GET',
  id: 'getLicense',
  permission: 'viewer',
  summary: 'Show the license',
  errors: [404, 409],
  async handle(_call, { license }) {
    const text = await license.read()
    if (text === undefined) throw notFound('', { words: 'There is no valid license' })
    return jsonText(text)
  },
})

export const licenseEndpoints = [postLicense, getLicense]
