// Toys as entries of the table of surfaces, which is all that the application knows of a surface.
import type { Endpoint } from '../../src/http/endpoint.ts'
import type { Wire } from '../../src/http/wire.ts'
import type { SurfaceEntry } from '../../src/surfaces/table.ts'
import { type Declared, sharedLogIn, type ToyDeps, toyEndpoints } from './endpoints.ts'
import { type Toy, toySurface } from './surface.ts'

const entry = (toy: Toy, endpoints: Endpoint<ToyDeps>[]): SurfaceEntry => ({
  name: toy.name,
  needs: [],
  assemble: async () => ({
    surface: toySurface(toy),
    endpoints: endpoints as Endpoint<never>[],
    deps: { name: toy.name },
    owns: (path) => path.startsWith(`/toys/${toy.name}/`),
  }),
})

export interface Habit extends Declared {
  wire?: Partial<Wire>
}

/** A toy with one habit, below `/toys/<name>`. */
export const toy = (name: string, { wire, ...declared }: Habit): SurfaceEntry =>
  entry({ name, ...(wire && { wire }) }, toyEndpoints(`/toys/${name}`, declared))

const isForm: Toy['claims'] = ({ incoming }) =>
  /^application\/x-www-form-urlencoded\b/.test(incoming?.headers['content-type'] ?? '')

/** Two toys that declare the same path: the second claims forms, where it claims anything. */
export const twins = (name: string, { claims }: { claims: boolean }): SurfaceEntry[] => [
  entry({ name: `${name}-json` }, [sharedLogIn(`/toys/${name}/login`, 'json')]),
  entry({ name: `${name}-form`, ...(claims && { claims: isForm }) }, [sharedLogIn(`/toys/${name}/login`, 'form')]),
]
