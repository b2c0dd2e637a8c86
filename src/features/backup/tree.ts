// The tree that an archive would unpack to, name by name: refuses whatever could land outside it or twice in one place.
// The trap: names are bytes, kept one to a character (latin1). They become text only to find those that differ by letter case.
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { refusal } from './tar-form.ts'

const NAME = 4096
const COMPONENT = 255

/** What is known of a place. A folder is `implied` while only things inside it were seen. */
interface Place {
  kind: 'file' | 'link' | 'folder' | 'implied'
  /** Digest of the exact name: another one in the same place differs by letter case. */
  exact: string
}

export class Tree {
  /** By the digest of the name without letter case: so a place costs the same however long its name is. */
  readonly #places = new Map<string, Place>()
  readonly #limits: { entries: number; depth: number }
  /** The folder of the entry before, whose way is known to be clear. */
  #clear = ''

  constructor(limits: { entries: number; depth: number }) {
    this.#limits = limits
  }

  file(name: string): void {
    this.#add(this.#components(name), 'file')
  }

  folder(name: string): void {
    const plain = name.replace(/\/$/, '')
    this.#add(plain === '.' ? [] : this.#components(plain), 'folder')
  }

  /** Nothing is unpacked through a link of the archive, so the folder of this one is really there: `..` climbs as it reads. */
  symlink(name: string, target: string): void {
    const components = this.#components(name)
    checkBytes(target)
    if (target.startsWith('/')) throw refusal('a link to an absolute name')
    const steps = target.split('/').filter((step) => step !== '' && step !== '.')
    const down = steps.findIndex((step) => step !== '..')
    const up = down === -1 ? steps.length : down
    if (up >= components.length) throw refusal('a link that leads outside')
    // Behind a name that is itself a link, `..` climbs from somewhere else.
    if (down !== -1 && steps.includes('..', down)) throw refusal('a link that goes down and up again')
    this.#add(components, 'link')
  }

  /** Another name for a file that the archive has already brought. A link to a link would move it to another folder. */
  hardLink(name: string, target: string): void {
    const components = this.#components(name)
    const { exact, folded } = digests(this.#components(target).join('/'))
    const place = this.#places.get(folded)
    if (place?.kind !== 'file' || place.exact !== exact) throw refusal('a hard link to what is not there')
    this.#add(components, 'file')
  }

  #components(name: string): string[] {
    checkBytes(name)
    if (name.startsWith('/')) throw refusal('an absolute name')
    const components = name.replace(/^(?:\.\/)+/, '').split('/')
    for (const component of components) {
      if (component === '..') throw refusal('a name with ..')
      if (component === '' || component === '.') throw refusal('a name that is not plain')
      if (component.length > COMPONENT) throw refusal('a name too long')
    }
    if (components.length > this.#limits.depth) throw refusal('folders too deep')
    return components
  }

  #add(components: string[], kind: 'file' | 'link' | 'folder'): void {
    const folder = components.slice(0, -1).join('/')
    if (folder !== this.#clear) {
      for (let depth = 1; depth < components.length; depth++) this.#pass(components.slice(0, depth).join('/'))
      this.#clear = folder
    }
    const { exact, folded } = digests(components.join('/'))
    const place = this.#places.get(folded)
    if (place !== undefined && place.exact !== exact) throw refusal('two names that differ by letter case only')
    if (place !== undefined && (place.kind !== 'implied' || kind !== 'folder')) throw refusal('two entries of one name')
    this.#set(folded, { kind, exact })
  }

  /** A folder on the way to an entry. */
  #pass(name: string): void {
    const { exact, folded } = digests(name)
    const place = this.#places.get(folded)
    if (place === undefined) this.#set(folded, { kind: 'implied', exact })
    else if (place.exact !== exact) throw refusal('two names that differ by letter case only')
    else if (place.kind !== 'folder' && place.kind !== 'implied')
      throw refusal('an entry inside a file or behind a link')
  }

  #set(key: string, place: Place): void {
    this.#places.set(key, place)
    // Folders that are only implied are made as well.
    if (this.#places.size > this.#limits.entries) throw refusal('too many entries')
  }
}

function checkBytes(name: string): void {
  if (name === '') throw refusal('an empty name')
  if (name.length > NAME) throw refusal('a name too long')
  if (/[\0-\x1f\x7f]/.test(name)) throw refusal('a control character in a name')
  // The swap that puts the files in place writes names as text.
  if (!isUtf8(Buffer.from(name, 'latin1'))) throw refusal('a name that is not UTF-8')
}

const digest = (name: string) => hash('sha256', name, 'base64')

/** Of the name itself, and of what a file system without letter case would take it for: where a name is lower case, the same. */
function digests(name: string): { exact: string; folded: string } {
  const exact = digest(name)
  const text = Buffer.from(name, 'latin1').toString()
  const folded = text.normalize('NFC').toLowerCase()
  return { exact, folded: folded === text ? exact : digest(Buffer.from(folded).toString('latin1')) }
}
