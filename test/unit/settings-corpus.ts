// The posts of settings and storage that were recorded from the original, with the files that it wrote. A case marked
// `sane` is a quirk, where other answers pass as well.
import { readFileSync } from 'node:fs'

export interface Case {
  id: string
  text: string
  status: number
  sane: number[]
  message: string
  /** What the original left, by the file's name. */
  files: Record<string, string>
}

export function recorded(path: 'settings' | 'storage'): Case[] {
  const corpus = new URL('../../../shared/tools/jidoteki-replay/corpus.jsonl', import.meta.url)
  return readFileSync(corpus, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .filter(({ id, method, form }) => /^[FG]\./.test(id) && method === 'POST' && form?.parts?.[0]?.value !== undefined)
    .filter((one) => one.path === `/api/v1/admin/${path}`)
    .map(({ id, form, observed, sane }) => ({
      id,
      text: form.parts[0].value,
      status: observed.status,
      sane: sane?.status ?? [observed.status],
      message: JSON.parse(observed.body)['Error-Message'] ?? '',
      files: Object.fromEntries(
        Object.entries<{ content?: string }>(observed.effects ?? {}).map(([file, { content }]) => [
          file.replace(/.*\//, ''),
          content ?? '',
        ]),
      ),
    }))
}
