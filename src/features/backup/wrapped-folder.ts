// Whether an archive contains the data folder itself instead of its contents: made by `tar -c /data`, it would be
// restored into `data/data`.
import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { refusal } from './tar-form.ts'

export class WrappedFolder {
  readonly #data: string
  /** The paths to the data folder with which an archive may begin: for `/srv/data` these are `srv/data` and `data`. */
  readonly #ways: string[][]
  #inside = false

  constructor(data: string) {
    this.#data = data
    const steps = data.split('/').filter(Boolean)
    this.#ways = steps.map((_, index) => steps.slice(index))
  }

  /** Called with each name. */
  see(name: string): void {
    const steps = name.split('/').filter((step) => step !== '' && step !== '.')
    if (steps.length === 0) return
    for (let at = this.#ways.length - 1; at >= 0; at--) {
      const way = this.#ways[at] as string[]
      // Every entry is on the path to it, or below it.
      if (way.some((step, index) => index < steps.length && steps[index] !== step)) this.#ways.splice(at, 1)
      else if (steps.length > way.length) this.#inside = true
    }
  }

  /** Not if the current data has such a folder: then the archive may be right. */
  refuse(): void {
    const way = this.#inside ? this.#ways[0] : undefined
    if (!way || lstatSync(join(this.#data, way[0] as string), { throwIfNoEntry: false })) return
    throw refusal('everything in it lies in a folder with the name of the data folder; pack what is inside of that one')
  }
}
