// The buttons in a row of shares, exports or targets.
import { Button } from '../../kit/button.tsx'
import { Badge } from '../../kit/layout.tsx'

export function RowActions({
  name,
  managed,
  onEdit,
  onRemove,
}: {
  name: string
  /** False: created outside Edge Admin, and left alone. */
  managed: boolean
  onEdit: () => void
  onRemove: () => void
}) {
  if (!managed) return <span class="muted">created outside Edge Admin</span>
  return (
    <div class="actions">
      <Button label={`Edit ${name}`} onClick={onEdit}>
        Edit…
      </Button>
      <Button label={`Delete ${name}`} kind="danger" onClick={onRemove}>
        Delete…
      </Button>
    </div>
  )
}

export const Enabled = ({ on }: { on: boolean }) => <Badge tone={on ? 'ok' : 'quiet'}>{on ? 'on' : 'off'}</Badge>
