// What the console draws of text that comes from clients.
import { describe, expect, it } from 'vitest'
import { Fragment, jsx } from '../../src/page/jsx.ts'
import { plainText } from '../../src/page/plain-text.ts'

describe('text that is drawn', () => {
  it.each([
    ['invoice\u202efdp.exe', 'invoice\\u202efdp.exe'],
    ['a\u2066b\u2069c\u200ed\u061ce', 'a\\u2066b\\u2069c\\u200ed\\u061ce'],
    ['\u001b[2Jx\u0000y\u007fz\u0085', '\\u001b[2Jx\\u0000y\\u007fz\\u0085'],
    ['two\u2028lines', 'two\\u2028lines'],
    ['a\tb\r\nc', 'a\tb\r\nc'],
    ['ad\u200bmin\u2060\ufeff\u00ad', 'ad\\u200bmin\\u2060\\ufeff\\u00ad'],
    ['a\u{e0041}\u{e007f}', 'a\\u{e0041}\\u{e007f}'],
    ['Übung דוח 報告 👩‍💻', 'Übung דוח 報告 👩‍💻'],
  ])('%j is %j', (text, shown) => {
    expect(plainText(text)).toBe(shown)
  })

  const children = (tag: Parameters<typeof jsx>[0], given: unknown) => jsx(tag, { children: given }).props['children']
  it('is plain in every element, and of nothing else', () => {
    expect(children('p', ['This closes ', 'a\u202eb', ' now'])).toEqual(['This closes ', 'a\\u202eb', ' now'])
    expect(children('td', 7)).toBe(7)
    expect(children(Fragment, 'a\u202eb')).toBe('a\\u202eb')
    expect(children(Fragment, ['by ', 'דנה'])[1]).toMatchObject({ tag: 'bdi' })
    const named = jsx('td', { 'aria-label': 'a\u202eb', title: 'a\u2066b' }).props
    expect([named['aria-label'], named['title']]).toEqual(['a\\u202eb', 'a\\u2066b'])
    const node = jsx('input', { value: 'a\u202eb' })
    expect(node.props['value']).toBe('a\u202eb')
  })

  it('stands for itself where it runs from right to left', () => {
    expect(children('p', ['by ', 'דנה', ' 12'])).toEqual([
      'by ',
      expect.objectContaining({ tag: 'bdi', props: { children: 'דנה' } }),
      ' 12',
    ])
    // An option holds text only.
    expect(children('option', 'דנה')).toBe('דנה')
  })
})
