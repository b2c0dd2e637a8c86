// What the build takes for the library's JSX runtime: every text that is drawn passes through here. Names of files, users
// and machines come from clients, and some would turn around or hide the text beside them.
import { Fragment, jsxDEV } from 'hono/jsx/dom/jsx-dev-runtime'
import { isRightToLeft, plainText } from './plain-text.ts'

export { Fragment }

/** Attributes that are read out or shown. What is typed or copied (`value`) stays as it is. */
const SHOWN: readonly string[] = ['aria-label', 'title']

/** A component passes its children on: only elements and fragments draw them. */
export function jsx(tag: Parameters<typeof jsxDEV>[0], props: Record<string, unknown>, key?: string) {
  const { children } = props
  const isElement = typeof tag === 'string'
  if ((isElement || tag === Fragment) && children !== undefined)
    props['children'] = drawn(children, isElement ? tag : '')
  if (isElement)
    for (const name of SHOWN) {
      const text = props[name]
      if (typeof text === 'string') props[name] = plainText(text)
    }
  return jsxDEV(tag, props, key)
}
export const jsxs = jsx

/** Elements that hold text only, and those that keep their lines. */
const BARE: readonly string[] = ['option', 'title', 'textarea', 'pre', 'bdi']

function drawn(child: unknown, tag: string): unknown {
  if (Array.isArray(child)) return child.map((one) => drawn(one, tag))
  if (typeof child !== 'string') return child
  const text = plainText(child)
  return isRightToLeft(text) && !BARE.includes(tag) ? jsxDEV('bdi', { children: text }) : text
}
