// Remembers the addresses from which callers of a surface proved an account, so that other people's wrong guesses do
// not delay them.
import type { KnownAddresses } from '../../auth/known-addresses.ts'
import type { Account, Principal } from '../../auth/principal.ts'
import type { TokenStore } from '../../auth/token.ts'
import type { Request } from '../request.ts'
import type { Surface } from '../surface.ts'

export function acquaint(surface: Surface, known: KnownAddresses, tokens: TokenStore): Surface {
  const note = (request: Request, principal: Principal | undefined) => {
    // The metrics token belongs to no account.
    const account = principal?.account
    const proof = typeof account === 'object' ? proofOf(account) : account === 'appliance-token' && tokens.proof()
    if (proof) known.note(request.address, proof)
    return principal
  }
  return {
    ...surface,
    authenticate(request, parameters) {
      const proven = surface.authenticate(request, parameters)
      return proven instanceof Promise ? proven.then((principal) => note(request, principal)) : note(request, proven)
    },
  }
}

const proofOf = ({ id, generation }: Account) => ({ account: id, version: String(generation) })
