// The address or commands with which other machines connect to this one.
import { CopyButton } from '../../kit/copy.tsx'

/** This appliance's name as the browser reached it: clients on the same network reach it by that, too. */
export const host = () => location.hostname

/** Lines with a copy button. */
export const Lines = ({ of, what }: { of: string[]; what: string }) => (
  <div class="lines">
    <code>{of.join('\n')}</code>
    <CopyButton text={of.join('\n')} what={what} />
  </div>
)

/** A path with a space has to be quoted. */
export const mountLine = (path: string) => {
  const from = `${host()}:${path}`
  return `mount -t nfs ${/^[\w./:@-]+$/.test(from) ? from : `'${from.replaceAll("'", `'\\''`)}'`} /mnt`
}
