// What a share in one go has made, and how clients connect to it.
import { Button } from '../../kit/button.tsx'
import { Facts } from '../../kit/layout.tsx'
import { link } from '../../router.ts'
import { host, Lines, mountLine } from '../storage/connect.tsx'

export interface Made {
  dataset: string
  permissions: { owner: string; group: string; mode: string }
  smb?: { name: string }
  nfs?: { path: string }
}

export const MadeShare = ({
  made: {
    dataset,
    permissions: { owner, group, mode },
    smb,
    nfs,
  },
  onClose,
}: {
  made: Made
  onClose: () => void
}) => (
  <>
    <div role="status">
      <Facts
        of={[
          ['Dataset and permissions', <a href={link('datasets', dataset)}>{dataset}</a>],
          ['Owner, group and mode', `${owner}, ${group}, ${mode}`],
          [
            'Connect with SMB to',
            smb ? <Lines of={[`\\\\${host()}\\${smb.name}`]} what={`the address of ${smb.name}`} /> : undefined,
          ],
          [
            'Mount with NFS',
            nfs ? <Lines of={[mountLine(nfs.path)]} what={`the mount command of ${nfs.path}`} /> : undefined,
          ],
        ]}
      />
    </div>
    <div class="actions">
      <Button kind="main" onClick={onClose}>
        Close
      </Button>
    </div>
  </>
)
