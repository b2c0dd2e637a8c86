// A snapshot as the API lists it.

export interface Snapshot {
  name: string
  dataset: string
  size: number
  created_at: string
}
