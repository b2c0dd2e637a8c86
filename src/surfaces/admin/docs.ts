// The API manual and the front page: plain HTML with one style sheet, and nothing from other hosts. The
// Content-Security-Policy allows no script and no inline style.
import { html } from 'hono/html'
import type { Configuration } from '../../config.ts'
import { JSON_TYPE, type Reply } from '../../http/reply/reply.ts'
import { define, PREFIX } from './context.ts'
import { manual } from './manual.ts'

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{max-width:56rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.6rem}h2{margin-top:2.5rem;border-bottom:1px solid #8886}h3{margin-top:1.8rem;font-size:1.05rem}
code,pre{font:.9em ui-monospace,monospace}pre{padding:.8rem;overflow:auto;background:#8881;border-radius:.4rem}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;vertical-align:top}
.method{display:inline-block;min-width:3.2rem;font-weight:700}nav li{display:inline-block;margin-right:1rem}nav ul{padding:0}
a{color:inherit}
`

const HTML = 'text/html; charset=utf-8'
const page = (title: string, body: unknown) =>
  String(html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<link rel="stylesheet" href="/docs/ui.css"></head><body>${body}</body></html>
`)

function htmlReply(text: Buffer, name: string): Reply {
  return {
    status: 200,
    headers: { 'Content-Type': HTML, 'Content-Disposition': `inline; filename="${name}"` },
    body: text,
  }
}

const PUBLIC = { method: 'GET', tag: 'Manual', permission: 'public', response: 'text/html' } as const

/** Without the console: that has its own front page and manual. */
const plain = ({ surfaces }: Configuration) => !surfaces.console.enabled

export const getManual = define({
  ...PUBLIC,
  enabled: plain,
  path: '/docs',
  id: 'getManual',
  summary: 'The API manual',
  handle: (_call, { documents, version, rendered }) =>
    rendered.reply(
      'manual',
      async () => page('Edge Admin: API', manual(await documents(), version)),
      (text) => htmlReply(text, 'API.html'),
    ),
})

export const getManualPage = define({
  ...getManual,
  path: '/docs/API.html',
  id: 'getManualPage',
  enabled: () => true,
  summary: 'The API manual, as a file',
})

export const getStyle = define({
  ...PUBLIC,
  path: '/docs/ui.css',
  id: 'getStyle',
  summary: 'The manual’s style sheet',
  response: 'text/css',
  handle: () => ({
    status: 200,
    headers: {
      'Content-Type': 'text/css',
      'Cache-Control': 'max-age=86400',
      'Content-Disposition': 'inline; filename="ui.css"',
    },
    body: STYLE,
  }),
})

const welcome = (version: string) => html`<h1>Edge Admin ${version}</h1>
<p>This appliance is managed through its API. <a href="/docs">Read the manual</a>, or take the
<a href="${PREFIX}/openapi.json">OpenAPI document</a> (${JSON_TYPE}).</p>`

export const getHome = define({
  ...PUBLIC,
  enabled: plain,
  path: '/',
  id: 'getHome',
  summary: 'The front page',
  handle: (_call, { version, rendered }) =>
    rendered.reply(
      'home',
      () => page('Edge Admin', welcome(version)),
      (text) => htmlReply(text, 'index.html'),
    ),
})

export const docsEndpoints = [getHome, getManual, getManualPage, getStyle]
