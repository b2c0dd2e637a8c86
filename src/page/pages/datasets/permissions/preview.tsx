// What a recursive change would do, with its first examples.
import { plural } from '../../../kit/format.ts'
import { Note } from '../../../kit/layout.tsx'
import { Table } from '../../../kit/table.tsx'
import type { Preview } from './types.ts'

const seen = ({ owner, group, mode }: { owner: string; group: string; mode: string }) => `${owner}:${group} ${mode}`

export function PreviewOf({
  plan: { files, folders, changes, left_out: left, complete, examples },
}: {
  plan: Preview
}) {
  const more = complete ? '' : 'At least '
  return (
    <Note
      tone={changes > 0 ? 'warning' : 'quiet'}
      title={`${more}${changes.toLocaleString()} of ${plural(files, 'file')} and ${plural(folders, 'folder')} would be changed`}
    >
      {complete ? null : <p>There are more: the preview looks only at the first.</p>}
      {left > 0 ? (
        <p>{plural(left, 'device or file system', 'devices and file systems')} in it would be left out.</p>
      ) : null}
      {examples.length > 0 ? (
        <Table
          label="Examples"
          what="examples"
          rows={examples}
          id={({ path }) => path}
          empty="Nothing would be changed."
          columns={[
            { title: 'Path', by: ({ path }) => path, cell: ({ path }) => <span class="break">{path || '.'}</span> },
            { title: 'Now', by: seen, cell: seen },
            { title: 'Then', by: ({ to }) => seen(to), cell: ({ to }) => seen(to) },
          ]}
        />
      ) : null}
    </Note>
  )
}
