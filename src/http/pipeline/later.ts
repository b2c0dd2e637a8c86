// Endpoints that are loaded by the first request that may be for one of them, so that a start does not pay for what
// nobody asks for. Everything that a request passes through before its endpoint is known (ports, surfaces, shapes of
// errors) is there from the start.
import { loadLater } from '../../loaded-later.ts'
import type { Endpoint } from '../endpoint.ts'

/** Declarations, and what their handlers work with. */
export interface Declared<Deps> {
  endpoints: Endpoint<Deps>[]
  deps: Deps
}

/** Those of any surface. Only its own `mount` may use what its handlers work with. */
export interface AnyDeclared {
  endpoints: Endpoint<never>[]
  deps: unknown
}

export interface Later<Loaded = AnyDeclared> {
  /**
   * Whether a path may be one of theirs, after normalization (path.ts). True for too many paths only loads them earlier;
   * false for one of theirs would hide it (test/api/later.test.ts).
   */
  takes: (path: string) => boolean
  load: () => Promise<Loaded>
}

interface Part extends Later<void> {
  loading?: Promise<void> | undefined
}

/** What is not loaded yet. */
export class LaterEndpoints {
  private readonly pending = new Set<Part>()

  /** `loaded` is called with the endpoints once they are there; requests for them wait for it. */
  add({ takes, load }: Later, loaded: (declared: AnyDeclared) => void): void {
    this.pending.add({ takes, load: async () => loaded(await load()) })
  }

  get isEmpty(): boolean {
    return this.pending.size === 0
  }

  /** Undefined if everything that the path may need is there. */
  need(path: string): Promise<unknown> | undefined {
    return load(
      [...this.pending].filter(({ takes }) => takes(path)),
      this.pending,
    )
  }

  /** Undefined if everything is there. */
  all(): Promise<unknown> | undefined {
    return load([...this.pending], this.pending)
  }
}

/** Each part is loaded once; after a failure the next request tries again. */
function load(parts: Part[], pending: Set<Part>): Promise<unknown> | undefined {
  if (parts.length === 0) return undefined
  return Promise.all(
    parts.map((part) => {
      part.loading ??= loadLater(part.load).then(
        () => void pending.delete(part),
        (error) => {
          part.loading = undefined
          throw error
        },
      )
      return part.loading
    }),
  )
}
