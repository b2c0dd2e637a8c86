// Every surface, in the order in which they are mounted. The name is its key below `surfaces` in the configuration,
// which can switch it off. Paths that no surface owns are answered in the shape of the first.
import type { Appliance, Need, With } from '../appliance.ts'
import type { Configuration } from '../config.ts'
import type { AssembledSurface, Site } from './assembled.ts'

export interface SurfaceEntry {
  name: string
  /** Parts of the appliance that are made only if a surface needs them. */
  needs: readonly Need[]
  /** Loads and assembles the surface; a surface that is off is not loaded. */
  assemble: (appliance: Appliance, site: Site) => Promise<AssembledSurface>
}

interface Line<N extends Need> {
  name: string
  needs: readonly N[]
  load: () => Promise<{ assemble: (appliance: With<N>, site: Site) => AssembledSurface }>
}

const entry = <N extends Need>({ name, needs, load }: Line<N>): SurfaceEntry => ({
  name,
  needs,
  // The appliance was made with everything that the enabled entries need.
  assemble: async (appliance, site) => (await load()).assemble(appliance as unknown as With<N>, site),
})

export const SURFACES: readonly SurfaceEntry[] = [
  entry({ name: 'admin', needs: [], load: () => import('./admin/assemble.ts') }),
  entry({ name: 'controller', needs: ['accounts', 'storage'], load: () => import('./controller/assemble.ts') }),
  entry({ name: 'zfssa', needs: ['accounts'], load: () => import('./zfssa/assemble.ts') }),
  entry({ name: 'console', needs: ['sessions'], load: () => import('./console/assemble.ts') }),
]

/** The surfaces that a configuration enables; one without a switch is always on. */
export function surfacesOn({ surfaces }: Pick<Configuration, 'surfaces'>, table = SURFACES): SurfaceEntry[] {
  const switches: Record<string, { enabled: boolean } | undefined> = surfaces
  return table.filter(({ name }) => switches[name]?.enabled ?? true)
}
