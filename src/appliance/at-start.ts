// Runs one step of the start and logs its failure: a server that has its port must not stop because a disk write
// failed.

export function atStart(what: string, step: () => void, warn: (text: string, error?: unknown) => void): void {
  try {
    step()
  } catch (error) {
    warn(`at the start: ${what}`, error)
  }
}
