// The errors of one form in the page: what its fields show, what keeps it from being sent, and the focus. Every field carries the names that
// it stands for in `data-field`.
import { createContext } from 'hono/jsx/dom'
import { Store } from '../store.ts'
import type { FieldError, Place, Placed } from './place-errors.ts'

/** What the fields of a form show. Each form has its own; a field outside of a form has nobody who would refuse it. */
export const Errors = createContext(new Store<Placed>({}))

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement

const isControl = (element: Element): element is Control =>
  element instanceof HTMLInputElement || element instanceof HTMLSelectElement || element instanceof HTMLTextAreaElement

/** The fields of a form, in the order that people meet them. */
export const placesOf = (form: HTMLFormElement): Place[] =>
  [...form.querySelectorAll<HTMLElement>('[data-field]')].map(({ id, dataset }) => ({
    id,
    names: dataset['field'] ?? '',
  }))

/** What keeps a form from being sent, all of it at once: the browser would tell the first alone, in a bubble that goes away. */
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

/** To the first field with an error. Later: what describes the field has to be part of the page by then. */
export function focusFirst(form: HTMLFormElement, placed: Placed): void {
  const first = placesOf(form).find(({ id }) => placed[id])
  if (first) setTimeout(() => document.getElementById(first.id)?.focus())
}
