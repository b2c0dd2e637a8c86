// A schema of a request or response, member by member, with all its levels.
import type { Schema } from './openapi.ts'
import { membersOf, words } from './schema-text.ts'

/** Deeper than any schema here. */
const DEEPEST = 6

export function SchemaView({
  schema,
  optional = true,
  depth = 0,
}: {
  schema: Schema
  optional?: boolean
  depth?: number
}) {
  const { properties, required } = membersOf(schema)
  const entries = Object.entries(properties)
  return (
    <>
      {depth === 0 ? <p class="muted">{capital(words(schema))}</p> : null}
      {entries.length === 0 || depth > DEEPEST ? null : (
        <ul class="members">
          {entries.map(([name, member]) => (
            <li key={name}>
              <code>{name}</code>{' '}
              <span class="muted">
                {words(member)}
                {optional && !required.includes(name) ? ', optional' : ''}
              </span>
              {member.description ? <p>{member.description}</p> : null}
              <SchemaView schema={member} optional={optional} depth={depth + 1} />
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)
