// A fetch that knows what each path of a document answers.

type Reads<Paths> = { [Path in keyof Paths]: Paths[Path] extends { get: object } ? Path : never }[keyof Paths] & string
type Body<Response> = Response extends { content: { 'application/json': infer Value } } ? Value : never
type Answer<Operation> = Operation extends { responses: { 200: infer Response } } ? Body<Response> : never
type Parameters<Operation> = Operation extends { parameters: { path: infer Path } } ? Path : Record<string, never>
type Get<Paths, Path extends keyof Paths> = Paths[Path] extends { get: infer Operation } ? Operation : never

/** Makes the fetch of one document. */
export const reader =
  <Paths>(origin: string) =>
  async <Path extends Reads<Paths>>(
    path: Path,
    parameters: Parameters<Get<Paths, Path>>,
  ): Promise<Answer<Get<Paths, Path>>> => {
    const values = new Map<string, unknown>(Object.entries(parameters as object))
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values.get(name))))
    return (await fetch(origin + filled)).json()
  }
