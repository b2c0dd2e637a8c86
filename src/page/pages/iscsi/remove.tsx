// Deletes a target; its volumes are kept.
import { useState } from '../../hooks.ts'
import { one } from '../storage/api-types.ts'
import { Remove } from '../storage/remove.tsx'
import { Force } from './luns.tsx'
import type { Target } from './types.ts'

export function RemoveTarget({
  target: { id, iqn, sessions },
  onClose,
  onDone,
}: {
  target: Target
  onClose: () => void
  onDone: () => unknown
}) {
  const [force, setForce] = useState(false)
  return (
    <Remove
      title={`Delete target ${iqn}`}
      submit="Delete target"
      path={`${one('iscsi/targets', id)}${force ? '?force=true' : ''}`}
      onClose={onClose}
      onDone={onDone}
    >
      <p>No machine can use it anymore. Its volumes and their data are kept.</p>
      <Force sessions={sessions} force={force} onForce={setForce} />
    </Remove>
  )
}
