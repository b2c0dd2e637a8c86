// The errors of one form: what each field shows, what prevents sending, and where the focus goes. Each field carries
// its API names in `data-field`.
import { createContext } from 'hono/jsx/dom'
import { Store } from '../store.ts'
import type { FieldError, Place, Placed } from './place-errors.ts'

/** What the fields of a form show. Each form has its own store; a field outside a form has none. */
export const Errors = createContext(new Store<Placed>({}))

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

const isControl = (element: Element): element is Control =>
  element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement

/** The fields of a form, in document order. */
export const placesOf = (form: HTMLFormElement): Place[] =>
  [...form.querySelectorAll<HTMLElement>('[data-field]')].map(({ id, dataset }) => ({
    id,
    names: dataset['field'] ?? '',
  }))

/** Everything that prevents sending, at once: the browser would show only the first, in a bubble that disappears. */
export const unready = (form: HTMLFormElement): FieldError[] =>
  [...form.querySelectorAll<HTMLElement>('[data-field]')].flatMap((element) => {
    const message = element.dataset['wrong'] || (isControl(element) ? wordsOf(element) : '')
    return message ? [{ field: element.id, message }] : []
  })

function wordsOf(control: Control): string {
  const { validity } = control
  if (!control.willValidate || validity.valid) return ''
  if (validity.valueMissing)
    return control instanceof HTMLSelectElement
      ? 'Choose an option'
      : control.type === 'checkbox'
        ? 'Check this box first'
        : 'This field is required'
  if (validity.badInput) return 'Not a number'
  if (validity.typeMismatch) return 'Not an email address'
  return control.validationMessage
}

/** Focuses the first field with an error; deferred, because the error text has to be in the document first. */
export function focusFirst(form: HTMLFormElement, placed: Placed): void {
  const first = placesOf(form).find(({ id }) => placed[id])
  if (first) setTimeout(() => document.getElementById(first.id)?.focus())
}
