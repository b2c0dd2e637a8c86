// The tree that an archive would unpack to, name by name: refuses names that could land outside it or twice in one
// place. Names are bytes, one per character (latin1); they are decoded only to find names that differ in letter case.
import { isUtf8 } from 'node:buffer'
import { hash } from 'node:crypto'
import { refusal } from './tar-form.ts'

const NAME = 4096
const COMPONENT = 255

/** What is known about a place. A folder is `implied` as long as only its contents were seen. */
interface Place {
  kind: 'file' | 'link' | 'folder' | 'implied'
  /** Digest of the exact name: a different one in the same place differs in letter case. */
  exact: string
}

export class Tree {
  /** By the digest of the name without letter case, so that a place costs the same for every length of name. */
  readonly #places = new Map<string, Place>()
  readonly #limits: { entries: number; depth: number }
  /** The folder of the previous entry, whose path is known to be safe. */
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

  /**
   * Nothing is unpacked through a link of the archive, so this link's folder is a real one, and `..` can be resolved by
   * its text.
   */
  symlink(name: string, target: string): void {
    const components = this.#components(name)
    checkBytes(target)
    if (target.startsWith('/')) throw refusal('a link to an absolute name')
    const steps = target.split('/').filter((step) => step !== '' && step !== '.')
    const down = steps.findIndex((step) => step !== '..')
    const up = down === -1 ? steps.length : down
    if (up >= components.length) throw refusal('a link that leads outside')
    // After a name that is itself a link, `..` leads elsewhere.
    if (down !== -1 && steps.includes('..', down)) throw refusal('a link that goes down and up again')
    this.#add(components, 'link')
  }

  /**
   * A second name for a file that is already in the archive. A hard link to a link would move that link to another
   * folder.
   */
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

  /** A folder on the path of an entry. */
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
    // Implied folders are created as well.
    if (this.#places.size > this.#limits.entries) throw refusal('too many entries')
  }
}

function checkBytes(name: string): void {
  if (name === '') throw refusal('an empty name')
  if (name.length > NAME) throw refusal('a name too long')
  if (/[\0-\x1f\x7f]/.test(name)) throw refusal('a control character in a name')
  // The file transaction handles names as text.
  if (!isUtf8(Buffer.from(name, 'latin1'))) throw refusal('a name that is not UTF-8')
}

const digest = (name: string) => hash('sha256', name, 'base64')

/**
 * Digests of the name itself, and of its form on a file system without letter case; equal if the name is in lower case.
 */
function digests(name: string): { exact: string; folded: string } {
  const exact = digest(name)
  const text = Buffer.from(name, 'latin1').toString()
  const folded = text.normalize('NFC').toLowerCase()
  return { exact, folded: folded === text ? exact : digest(Buffer.from(folded).toString('latin1')) }
}
