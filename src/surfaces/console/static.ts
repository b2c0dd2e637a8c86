// The page and its assets. `/` and `/docs` are the same file; the page decides by its own address.
import type { Call } from '../../http/endpoint.ts'
import { type ConsoleDeps, define, TAG } from './context.ts'

function declare(path: string, id: string, file: string, type: string) {
  return define({
    method: 'GET',
    path,
    id,
    tag: TAG,
    summary: `The console: ${file}`,
    permission: 'public',
    response: type.split(';', 1)[0] as string,
    // The reply has the version for the ETag; nothing changes the file.
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
