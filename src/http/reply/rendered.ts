// Caches pages that stay the same while the server runs: a manual takes tens of milliseconds to render, and anyone may
// request it at any rate.
import type { Reply } from './reply.ts'

export class Rendered {
  private readonly pages = new Map<string, Buffer>()
  private readonly making = new Map<string, Promise<Buffer>>()

  /**
   * `name`: one for each page; there are as many as declarations. Requests during the first rendering wait for that one.
   */
  reply(name: string, make: () => string | Promise<string>, reply: (page: Buffer) => Reply): Reply | Promise<Reply> {
    const known = this.pages.get(name)
    return known ? reply(known) : this.render(name, make).then(reply)
  }

  private render(name: string, make: () => string | Promise<string>): Promise<Buffer> {
    const begun = this.making.get(name)
    if (begun) return begun
    const page = (async () => {
      try {
        const made = Buffer.from(await make())
        this.pages.set(name, made)
        return made
      } finally {
        this.making.delete(name)
      }
    })()
    this.making.set(name, page)
    return page
  }
}
