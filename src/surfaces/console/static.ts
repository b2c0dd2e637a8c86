// The page and what it loads. The trap: `/` and `/docs` are one file; the page looks at its own address.
import type { Call } from '../../http/endpoint.ts'
import { type ConsoleDeps, define, TAG } from './deps.ts'

function declare(path: string, id: string, file: string, type: string) {
  return define({
    method: 'GET',
    path,
    id,
    tag: TAG,
    summary: `The console: ${file}`,
    permission: 'public',
    response: type.split(';', 1)[0] as string,
    // Its reply tells its version, and so the ETag; nothing changes it.
    resource: { key: () => path },
    errors: [503],
    handle: (call: Call, { page }: ConsoleDeps) => page.reply(file, type, call.acceptsGzip),
  })
}

const HTML = 'text/html; charset=utf-8'

export const staticEndpoints = [
  declare('/', 'getConsole', 'index.html', HTML),
  declare('/docs', 'getConsoleManual', 'index.html', HTML),
  declare('/console/app.js', 'getConsoleScript', 'app.js', 'text/javascript; charset=utf-8'),
  declare('/console/app.css', 'getConsoleStyle', 'app.css', 'text/css; charset=utf-8'),
  declare('/console/icon.svg', 'getConsoleIcon', 'icon.svg', 'image/svg+xml'),
]
