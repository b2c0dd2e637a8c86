// Quantiles and the lines of the table. Medians everywhere: these machines are shared, and a mean would tell of the neighbors.

export function quantile(values: number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? Number.NaN
}

export const median = (values: number[]): number => quantile(values, 0.5)

const lines: [string, string, string, string][] = []

/** One line: what, what was reached, its target, and whether it holds (left out: nothing was promised). */
export function report(what: string, reached: string, target = '', holds?: boolean): void {
  lines.push([what, reached, target, holds === undefined ? '' : holds ? 'yes' : 'NO'])
}

export function printTable(): void {
  const head: [string, string, string, string] = ['measured', 'reached', 'target', 'met']
  const widths = head.map((_, column) => Math.max(...[head, ...lines].map((line) => (line[column] ?? '').length)))
  for (const line of [head, ...lines])
    process.stdout.write(
      `${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd()}\n`,
    )
}

/** `1.23 / 4.56`: a number of each, shortly. */
export const few = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)
