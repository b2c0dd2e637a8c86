// One step of a start whose failure is written down and stops nothing: a server that has its port must not end because its disk refuses a write.

export function atStart(what: string, step: () => void, warn: (text: string, error?: unknown) => void): void {
  try {
    step()
  } catch (error) {
    warn(`at the start: ${what}`, error)
  }
}
