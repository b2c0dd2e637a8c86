// What somebody types on another machine to get at this one.
import { CopyButton } from '../../kit/copy.tsx'

/** This appliance, as the person reached it: what the browser found, a client of the same network finds too. */
export const host = () => location.hostname

/** Lines to copy. */
export const Lines = ({ of, what }: { of: string[]; what: string }) => (
  <div class="lines">
    <code>{of.join('\n')}</code>
    <CopyButton text={of.join('\n')} what={what} />
  </div>
)
