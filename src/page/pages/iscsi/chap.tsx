// The CHAP fields of a target: what initiators prove to it, and what it proves to them. Passwords are never shown again,
// so a choice of its own keeps them.
import { Field, Select } from '../../kit/fields.tsx'

export interface ChapDraft {
  choice: 'none' | 'keep' | 'set'
  username: string
  password: string
}

export const draftOf = (before: { username: string } | undefined): ChapDraft => ({
  choice: before ? 'keep' : 'none',
  username: before?.username ?? '',
  password: '',
})

/** What is sent: nothing for what stays as it is. */
export function accountOf(draft: ChapDraft, before: { username: string } | undefined, isShown: boolean) {
  const { choice, username, password } = draft
  if (choice === 'set') return { username, password: isShown ? '…' : password }
  return choice === 'none' && before ? null : undefined
}

export function ChapFields({
  label,
  title,
  name,
  none,
  hint,
  before,
  draft,
  onDraft,
  wrong,
}: {
  label: string
  /** Before "name" and "password". */
  title: string
  /** As the API calls it. */
  name: string
  /** What no account means. */
  none: string
  hint?: string | undefined
  before: { username: string } | undefined
  draft: ChapDraft
  onDraft: (draft: ChapDraft) => void
  /** Why the password cannot be used. */
  wrong?: string | undefined
}) {
  const choices: [string, string][] = [
    ['none', none],
    ...(before ? [['keep', `Keep: ${before.username}`] satisfies [string, string]] : []),
    ['set', before ? 'A new name or password' : 'A name and a password'],
  ]
  return (
    <>
      <Select
        label={label}
        name={name}
        hint={hint}
        value={draft.choice}
        onValue={(choice) => onDraft({ ...draft, choice: choice as ChapDraft['choice'] })}
        options={choices}
      />
      {draft.choice === 'set' ? (
        <>
          <Field
            label={`${title} name`}
            name={`${name}.username`}
            value={draft.username}
            onValue={(username) => onDraft({ ...draft, username })}
            autocomplete="off"
            maxlength={64}
            required
          />
          <Field
            label={`${title} password`}
            name={`${name}.password`}
            type="password"
            value={draft.password}
            onValue={(password) => onDraft({ ...draft, password })}
            autocomplete="new-password"
            minlength={12}
            maxlength={64}
            required
            wrong={wrong}
            hint="12 to 64 characters without blanks. It is not shown again: save it for the initiator."
          />
        </>
      ) : null}
    </>
  )
}
