// What can be done with one row of a list of shares, exports or targets.
import { Button } from '../../kit/button.tsx'
import { Badge } from '../../kit/layout.tsx'

export function RowActions({
  name,
  managed,
  onEdit,
  onRemove,
}: {
  name: string
  /** False: made by hand, and left alone. */
  managed: boolean
  onEdit: () => void
  onRemove: () => void
}) {
  if (!managed) return <span class="muted">made by hand</span>
  return (
    <div class="actions">
      <Button label={`Change ${name}`} onClick={onEdit}>
        Change…
      </Button>
      <Button label={`Remove ${name}`} kind="danger" onClick={onRemove}>
        Remove…
      </Button>
    </div>
  )
}

export const Enabled = ({ on }: { on: boolean }) => <Badge tone={on ? 'ok' : 'quiet'}>{on ? 'on' : 'off'}</Badge>
