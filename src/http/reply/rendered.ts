// Pages that stay the same while the server runs: made once, at their first request. A stranger may ask for them as often as he likes, and a
// manual takes tens of milliseconds to make.

export class Rendered {
  private readonly pages = new Map<string, Buffer>()

  /** `name`: the page's own; there are as many as declarations. */
  get(name: string, make: () => string): Buffer {
    const known = this.pages.get(name)
    if (known) return known
    const page = Buffer.from(make())
    this.pages.set(name, page)
    return page
  }
}
