// Finds the field that an error of the appliance belongs to. The appliance names members as they are sent
// (`options.quota`, `vdevs.1`), and each field lists the names that it stands for, so one rule serves all forms.

export interface FieldError {
  field: string
  message: string
}

/** An error at its field; `rest` is what follows the field's own name: `2` of `clients.2`. */
export interface Shown {
  rest: string
  message: string
}

/** By the ID of the field's element. */
export type Placed = Record<string, Shown[]>

export interface Place {
  id: string
  /** Separated by spaces. */
  names: string
}

/** An error goes to the field with the longest matching name; errors without a matching field are left over. */
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
