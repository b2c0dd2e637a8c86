// Caches pages that stay the same while the server runs: a manual takes tens of milliseconds to render, and anyone may
// request it at any rate.

export class Rendered {
  private readonly pages = new Map<string, Buffer>()

  /** `name`: one for each page; there are as many as declarations. */
  get(name: string, make: () => string): Buffer {
    const known = this.pages.get(name)
    if (known) return known
    const page = Buffer.from(make())
    this.pages.set(name, page)
    return page
  }
}
