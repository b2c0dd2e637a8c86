// A little kernel for tests without programs: takes steps on folders, files and links, and refuses what LIO would. It
// answers a moment later, as a program does, so that changes which do not wait for each other meet.
import { type Lio, parseLio, type Step, StepError } from '../../src/drivers/lio.ts'

export class Kernel implements Lio {
  readonly folders = new Set<string>()
  readonly files = new Map<string, string>()
  readonly links = new Map<string, string>()
  /** Every step that was asked for. */
  readonly asked: Step[] = []
  /** Devices that are not there. */
  readonly missing = new Set<string>()
  /** Targets whose portals cannot be opened. */
  readonly closed = new Set<string>()

  take(steps: readonly Step[]): void {
    for (const step of steps) {
      this.asked.push(step)
      const words = this.refusal(step)
      if (words !== undefined) throw new StepError(step, words, undefined)
      this.perform(step)
    }
  }

  private refusal([operation, path, value = '']: Step): string | undefined {
    if (operation === 'device') return this.missing.has(path) ? 'No such device' : undefined
    // `acls`, `lun` and the like come with the folder that they are in.
    const above = path.replace(/\/[^/]*$/, '').replace(/\/(?:acls|lun|np|auth|attrib|param|wwn)$/, '')
    if (!['core', 'iscsi'].includes(above) && !this.folders.has(above)) return 'No such file or directory'
    const [, portalOf] = /^iscsi\/([^/]+)\/tpgt_1\/np\//.exec(path) ?? []
    if (operation === 'mkdir' && this.closed.has(portalOf ?? '')) return 'Invalid argument'
    if (operation === 'mkdir') return this.folders.has(path) ? 'File exists' : undefined
    if (operation === 'unlink') return this.links.has(path) ? undefined : 'No such file or directory'
    if (operation === 'rmdir') {
      if (!this.folders.has(path)) return 'No such file or directory'
      if ([...this.links.values()].includes(path)) return 'Device or resource busy'
      const isInside = (one: string) => one.startsWith(`${path}/`)
      return [...this.folders, ...this.links.keys()].some(isInside) ? 'Directory not empty' : undefined
    }
    if (operation === 'link') {
      const depth = path.split('/').length
      if (!this.folders.has(value)) return 'No such file or directory'
      if ([...this.links.keys()].some((one) => one.startsWith(`${above}/`) && one.split('/').length === depth))
        return 'File exists'
      return value.startsWith('core/') && this.files.get(`${value}/enable`) !== '1' ? 'No such device' : undefined
    }
    return undefined
  }

  private perform([operation, path, value = '']: Step): void {
    if (operation === 'mkdir') this.folders.add(path)
    if (operation === 'link') this.links.set(path, value)
    if (operation === 'unlink') this.links.delete(path)
    if (operation === 'write') this.files.set(path, value)
    if (operation !== 'rmdir') return
    this.folders.delete(path)
    for (const file of [...this.files.keys()].filter((one) => one.startsWith(`${path}/`))) this.files.delete(file)
  }

  state() {
    const lines = [
      ...[...this.folders].map((path) => `${path}/`),
      ...[...this.files].map(([path, value]) => `${path}\t${value}`),
      ...[...this.links].map(([path, target]) => `${path}\t-> ${target}`),
    ]
    return parseLio(lines.join('\n'))
  }

  async read() {
    await later()
    return this.state()
  }

  async apply(steps: Step[]) {
    await later()
    this.take(steps)
    await later()
  }
}

const later = () => new Promise((resolve) => setImmediate(resolve))
