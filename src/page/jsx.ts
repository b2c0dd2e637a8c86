// What the build takes for the library's JSX runtime: every text that is drawn passes through here. Names of files, users
// and machines come from clients, and some would turn around or hide the text beside them.
import { Fragment, jsxDEV } from 'hono/jsx/dom/jsx-dev-runtime'
import { isRightToLeft, plainText } from './plain-text.ts'

export { Fragment }

/** A component passes its children on: only elements draw them. What is typed or copied (`value`) stays as it is. */
export function jsx(tag: Parameters<typeof jsxDEV>[0], props: Record<string, unknown>, key?: string) {
  const { children } = props
  if (typeof tag === 'string' && children !== undefined) props['children'] = drawn(children, tag)
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
