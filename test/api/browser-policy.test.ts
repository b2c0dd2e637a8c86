// SEC-24: every page that we send, held against the Content-Security-Policy that is sent with it. A page that the
// policy breaks looks right in the source; so this reads tags and attributes as a browser does, and is itself shown
// pages that break the policy.
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type InProcess, startAppliance } from './appliance.ts'
import { type Answer, call } from './client.ts'

interface Tag {
  name: string
  attributes: Record<string, string>
  /** What stands up to the closing tag: of scripts and styles the code. */
  text: string
}

const decode = (text: string) =>
  text
    .replace(/&#x([0-9a-f]+);?/gi, (_, digits: string) => String.fromCodePoint(Number.parseInt(digits, 16)))
    .replace(/&#(\d+);?/g, (_, digits: string) => String.fromCodePoint(Number(digits)))
    .replace(
      /&(quot|amp|lt|gt|apos);/g,
      (_, word: string) => ({ quot: '"', amp: '&', lt: '<', gt: '>', apos: "'" })[word]!,
    )

function tags(html: string): Tag[] {
  const found: Tag[] = []
  const opening = /<!--[\s\S]*?-->|<([a-z][^\s/>]*)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi
  for (const match of html.matchAll(opening)) {
    if (!match[1]) continue
    const name = match[1].toLowerCase()
    const attributes: Record<string, string> = {}
    for (const [, key, a, b, c] of (match[2] ?? '').matchAll(
      /([^\s=/"']+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+)))?/g,
    ))
      attributes[key!.toLowerCase()] = decode(a ?? b ?? c ?? '')
    const rest = html.slice(match.index + match[0].length)
    found.push({ name, attributes, text: rest.slice(0, rest.search(new RegExp(`</${name}\\b|$`, 'i'))) })
  }
  return found
}

const parsePolicy = (header: string) =>
  new Map(
    header.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(/\s+/)
      return [name.toLowerCase(), sources] as const
    }),
  )

/** Which directive decides about what an element loads. */
const LOADS: Record<string, Record<string, string>> = {
  script: { src: 'script-src' },
  link: { href: 'style-src' },
  img: { src: 'img-src', srcset: 'img-src' },
  image: { href: 'img-src' },
  use: { href: 'img-src' },
  source: { src: 'media-src', srcset: 'img-src' },
  video: { src: 'media-src', poster: 'img-src' },
  audio: { src: 'media-src' },
  track: { src: 'media-src' },
  iframe: { src: 'frame-src' },
  frame: { src: 'frame-src' },
  embed: { src: 'object-src' },
  object: { data: 'object-src' },
  form: { action: 'form-action' },
  button: { formaction: 'form-action' },
  input: { formaction: 'form-action', src: 'img-src' },
}
const REL: Record<string, string> = { icon: 'img-src', manifest: 'manifest-src', stylesheet: 'style-src' }

/** What of a page its policy forbids, and every word in it that leads elsewhere. */
function violations(html: string, header: string): string[] {
  const policy = parsePolicy(header)
  const wrong: string[] = []
  const sources = (directive: string) => policy.get(directive) ?? policy.get('default-src') ?? []
  for (const directive of ['default-src', 'base-uri', 'frame-ancestors', 'form-action', 'object-src']) {
    if (!policy.has(directive)) wrong.push(`no ${directive}`)
  }
  if (policy.get('default-src')?.join() !== "'none'") wrong.push('default-src is open')
  for (const [name, list] of policy) {
    for (const source of list) {
      // A picture within a style sheet runs nothing and asks nobody.
      if (name === 'img-src' && source === 'data:') continue
      if (!/^'(?:none|self|sha(?:256|384|512)-[A-Za-z0-9+/]+=*)'$/.test(source)) wrong.push(`${name} allows ${source}`)
    }
  }
  const allowsText = (directive: string, text: string) =>
    sources(directive).some((source) => {
      const [, algorithm, digest] = /^'(sha\d+)-(.*)'$/.exec(source) ?? []
      return algorithm !== undefined && createHash(algorithm).update(text).digest('base64') === digest
    })
  for (const { name, attributes, text } of tags(html)) {
    if (name === 'base' || (name === 'meta' && 'http-equiv' in attributes)) wrong.push(`a ${name} tag`)
    if (name === 'script' && !('src' in attributes) && !allowsText('script-src', text)) wrong.push('an inline script')
    if (name === 'style' && !allowsText('style-src', text)) wrong.push('an inline style')
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith('on')) wrong.push(`a handler: ${key}`)
      if (key === 'style') wrong.push('a style attribute')
      const directive = name === 'link' ? REL[attributes['rel']?.toLowerCase() ?? ''] : LOADS[name]?.[key]
      if (['src', 'href', 'srcset', 'action', 'formaction', 'data', 'poster', 'xlink:href', 'ping'].includes(key)) {
        if (!/^(?:\/(?!\/)|#)[^\\\s]*$/.test(value)) wrong.push(`leads elsewhere: ${value}`)
        else if (directive && !sources(directive).includes("'self'")) wrong.push(`${directive} forbids ${value}`)
        else if (!directive && !['a', 'area'].includes(name)) wrong.push(`nobody decides about ${name} ${key}`)
      }
    }
  }
  return wrong
}

let appliance: InProcess
beforeAll(async () => {
  appliance = await startAppliance({ config: { surfaces: { controller: { enabled: true } } } })
})
afterAll(() => appliance?.close())

/** Every answer that can be reached from `/` and `/docs` by following what a page loads and links to, and the plain manual's. */
async function crawl(): Promise<Map<string, Answer>> {
  const seen = new Map<string, Answer>()
  const open = ['/', '/docs', '/docs/', '/docs/API.html']
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (seen.has(path)) continue
    const answer = await call(appliance.url, 'GET', path)
    seen.set(path, answer)
    if (!answer.headers['content-type']?.startsWith('text/html')) continue
    for (const { attributes } of tags(answer.body)) {
      for (const value of [attributes['href'], attributes['src']]) {
        const next = value?.split('#', 1)[0]
        if (next?.startsWith('/')) open.push(next)
      }
    }
  }
  return seen
}

describe('SEC-24 what a browser is sent', () => {
  it('does nothing that its own policy forbids, and names no other origin', async () => {
    const answers = await crawl()
    const pages = [...answers].filter(([, { headers }]) => headers['content-type']?.startsWith('text/html'))
    expect(pages.map(([path]) => path)).toEqual(expect.arrayContaining(['/', '/docs', '/docs/API.html']))
    for (const [path, { status, headers, body }] of pages) {
      expect([path, status]).toEqual([path, 200])
      expect([path, violations(body, String(headers['content-security-policy']))]).toEqual([path, []])
    }
  })

  it('is all there: no link leads to nothing, and a style sheet is one', async () => {
    for (const [path, { status, headers }] of await crawl()) {
      expect([path, status]).toEqual([path, 200])
      expect(headers['content-type']).toMatch(/^(?:text\/html|text\/css|application\/json|text\/javascript|image\/)/)
      expect(headers['x-content-type-options']).toBe('nosniff')
      expect(headers['x-frame-options']).toBe('deny')
      expect(headers['referrer-policy']).toBe('no-referrer')
    }
  })

  it('loads nothing through its style sheet or its scripts either', async () => {
    for (const [path, { headers, body }] of await crawl()) {
      const type = headers['content-type'] ?? ''
      if (type.startsWith('text/css')) expect([path, /@import|url\s*\(|\\/i.exec(body)?.[0]]).toEqual([path, undefined])
      if (type.startsWith('text/javascript'))
        expect([path, /https?:\/\/|\beval\b/.exec(body)?.[0]]).toEqual([path, undefined])
    }
  })

  it('is judged: a page that breaks the policy is found', () => {
    const strict =
      "default-src 'none'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
    expect(violations('<p>good</p><link rel=stylesheet href="/a.css"><a href="#x">x</a>', strict)).toEqual([])
    const bad: [string, string][] = [
      ['<script>alert(1)</script>', 'an inline script'],
      ['<ScRiPt >alert(1)</sCript>', 'an inline script'],
      ['<style>a{}</style>', 'an inline style'],
      ['<p style="color:red">', 'a style attribute'],
      ['<p onclick=alert(1)>', 'a handler: onclick'],
      ["<p title='>' OnLoad='x()'>", 'a handler: onload'],
      ['<script src="/own.js"></script>', 'script-src forbids /own.js'],
      ['<img src="/logo.png">', 'img-src forbids /logo.png'],
      ['<link rel=stylesheet href="https://cdn.example/a.css">', 'leads elsewhere: https://cdn.example/a.css'],
      ['<link rel=stylesheet href="//cdn.example/a.css">', 'leads elsewhere: //cdn.example/a.css'],
      ['<a href="javascript:alert(1)">', 'leads elsewhere: javascript:alert(1)'],
      ['<a href="&#106;avascript:x">', 'leads elsewhere: javascript:x'],
      ['<a href="/\\evil.example">', 'leads elsewhere: /\\evil.example'],
      ['<iframe src="/docs">', 'frame-src forbids /docs'],
      ['<form action="/x">', 'form-action forbids /x'],
      ['<base href="/x">', 'a base tag'],
      ['<meta http-equiv=refresh content="0;url=/x">', 'a meta tag'],
    ]
    for (const [html, what] of bad)
      expect([html, violations(html, strict)]).toEqual([html, expect.arrayContaining([what])])
    for (const source of [
      "'unsafe-inline'",
      "'unsafe-eval'",
      '*',
      'https:',
      'data:',
      'https://cdn.example',
      "'nonce-a'",
    ]) {
      expect(violations('', `${strict}; script-src ${source}`)).toEqual([`script-src allows ${source}`])
    }
    expect(violations('', `${strict}; img-src 'self' data:`)).toEqual([])
    expect(violations('', `${strict}; img-src https:`)).toEqual(['img-src allows https:'])
    expect(violations('', 'style-src *')).toContain('no default-src')
    const script = 'show()'
    const hashed = `${strict}; script-src ${hash(script)}`
    expect(violations(`<script>${script}</script>`, hashed)).toEqual([])
    expect(violations(`<script>${script} </script>`, hashed)).toEqual(['an inline script'])
  })
})
