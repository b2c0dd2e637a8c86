// The parts of a page: title, cards, lists of facts.
import type { Child } from 'hono/jsx'
import { useRef } from 'hono/jsx/dom'
import { useEffect } from '../hooks.ts'
import { plainText } from '../plain-text.ts'
import { moment, since } from './format.ts'

export type Children = Child | undefined

/** A page. Its heading takes the focus when it appears, so that keyboard and screen reader start there. */
export function Page({
  title,
  intro,
  actions,
  children,
}: {
  title: string
  intro?: Children
  actions?: Children
  children?: Children
}) {
  const heading = useRef<HTMLHeadingElement>(null)
  useEffect(() => {
    document.title = `${plainText(title)} · Edge Admin`
    // Not if a dialog or a field has the focus by then.
    if (!document.activeElement || document.activeElement === document.body || document.activeElement.closest('nav'))
      heading.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [title])
  return (
    <>
      <header class="page-head">
        <h1 ref={heading} tabindex={-1}>
          {title}
        </h1>
        {actions ? <div class="actions">{actions}</div> : null}
      </header>
      {intro ? <p class="intro">{intro}</p> : null}
      {children}
    </>
  )
}

/**
 * After the focused element was removed, focuses the heading, so that a keyboard user does not start at the top again.
 */
export function keepFocus(): void {
  if (document.activeElement === null || document.activeElement === document.body)
    document.querySelector<HTMLElement>('main h1')?.focus({ preventScroll: true })
}

export function Card({
  title,
  actions,
  children,
  wide,
}: {
  title?: string
  actions?: Children
  children?: Children
  wide?: boolean
}) {
  return (
    <section class={wide ? 'card wide' : 'card'}>
      {title ? (
        <header>
          <h2>{title}</h2>
          {actions ? <div class="actions">{actions}</div> : null}
        </header>
      ) : null}
      {children}
    </section>
  )
}

/** `halves`: two cards per row instead of three. */
export const Cards = ({ children, halves }: { children?: Children; halves?: boolean }) => (
  <div class={halves ? 'cards halves' : 'cards'}>{children}</div>
)

/**
 * One element around several, which the layout does not see. The library moves each element of a component that has
 * state and several elements whenever that state changes, if something follows it; the focus would be lost.
 */
export const Stack = ({ children }: { children?: Children }) => <div class="stack">{children}</div>

/** Names and values. A value that is undefined is left out. */
export function Facts({ of }: { of: [string, Children][] }) {
  return (
    <dl class="facts">
      {of
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  )
}

export const Empty = ({ children }: { children?: Children }) => <p class="empty">{children}</p>

export type Tone = 'ok' | 'warning' | 'error' | 'busy' | 'quiet'

/** A state: always a word in a color, never the color alone. */
export const Badge = ({ tone, children }: { tone: Tone; children?: Children }) => (
  <span class={`badge ${tone}`}>{children}</span>
)

/** How full something is; `value` and `max` have the same unit. */
export function Meter({ value, max, label }: { value: number; max: number; label: string }) {
  const percent = max > 0 ? Math.round((100 * value) / max) : 0
  return (
    <span class="meter">
      <meter value={value} max={max || 1} high={max * 0.9} low={max * 0.8} optimum={0} aria-label={label} />
      <span>{percent}%</span>
    </span>
  )
}

/** Progress in percent; undefined: running, but the progress is unknown. */
export const Progress = ({ value, label }: { value?: number | undefined; label: string }) => (
  <span class="meter">
    {value === undefined ? <progress aria-label={label} /> : <progress value={value} max={100} aria-label={label} />}
    {value === undefined ? null : <span>{Math.round(value)}%</span>}
  </span>
)

export const When = ({ at }: { at: string }) => (
  <time datetime={at} title={moment(at)}>
    {since(at)}
  </time>
)

/** A note to the user. */
export const Note = ({ tone = 'quiet', title, children }: { tone?: Tone; title?: string; children?: Children }) => (
  <div class={`note ${tone}`} role={tone === 'error' ? 'alert' : undefined}>
    {title ? <strong>{title}</strong> : null}
    {children}
  </div>
)
