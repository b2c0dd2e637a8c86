// What every page of the console is given.
import type { Children } from './layout.tsx'

export interface PageProps {
  /** The parts of the address after the page's name: `['tank']` for #/pools/tank. */
  rest: string[]
}
export type Content = (props: PageProps) => Children
