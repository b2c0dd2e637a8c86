// Which field of a form an error belongs to. The appliance names members as they are sent (`options.quota`, `vdevs.1`); a field says which
// names it stands for, so that one rule serves every form.

export interface FieldError {
  field: string
  message: string
}

/** An error at its field; `rest` is the part of its name that the field does not have itself: `2` of `clients.2`. */
export interface Shown {
  rest: string
  message: string
}

/** By the id of the field's element. */
export type Placed = Record<string, Shown[]>

export interface Place {
  id: string
  /** With blanks between them. */
  names: string
}

/** The field with the longest name that fits takes an error; what no field takes is left over. */
export function placeErrors(errors: readonly FieldError[], places: readonly Place[]) {
  const placed: Placed = {}
  const left: FieldError[] = []
  const known = places
    .flatMap(({ id, names }) => [id, ...names.split(' ')].map((name) => ({ id, name })))
    .filter(({ name }) => name !== '')
    .sort((a, b) => b.name.length - a.name.length)
  for (const { field, message } of errors) {
    const found = known.find(({ name }) => field === name || field.startsWith(`${name}.`))
    if (!found) left.push({ field, message })
    else {
      const shown = placed[found.id] ?? []
      placed[found.id] = [...shown, { rest: field.slice(found.name.length + 1), message }]
    }
  }
  return { placed, left }
}
