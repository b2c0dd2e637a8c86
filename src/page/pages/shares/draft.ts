// The form of a share in one go: what it begins with, and the request that it makes.
import { words } from '../storage/api-types.ts'
import { accessOf, NOBODY, type People } from './people.tsx'

export interface Draft {
  isNew: boolean
  parent: string
  label: string
  existing: string
  people: People
  /** Turns access control lists on, for a dataset that exists. */
  lists: boolean
  smb: boolean
  /** Until somebody types one, the share is called as the dataset. */
  share: string | undefined
  description: string
  nfs: boolean
  clients: string
  squash: boolean
}

export const draftFor = (first: 'smb' | 'nfs'): Draft => ({
  isNew: true,
  parent: '',
  label: '',
  existing: '',
  people: NOBODY,
  lists: false,
  smb: first === 'smb',
  share: undefined,
  description: '',
  nfs: first === 'nfs',
  clients: '',
  squash: true,
})

export const datasetOf = ({ isNew, parent, label, existing }: Draft) => (isNew ? `${parent}/${label}` : existing)
export const shareOf = (draft: Draft) => draft.share ?? datasetOf(draft).split('/').pop() ?? ''

export function requestOf(draft: Draft): Record<string, unknown> {
  const { isNew, people, lists, smb, description, nfs, clients, squash } = draft
  const { write, read } = accessOf(people)
  return {
    dataset: datasetOf(draft),
    ...(isNew && { create_dataset: true }),
    ...(write.length + read.length > 0 && {
      access: { ...(write.length > 0 && { write }), ...(read.length > 0 && { read }) },
    }),
    ...(!isNew && lists && { acltype: 'posixacl' }),
    ...(smb && { smb: { name: shareOf(draft), ...(description && { description }) } }),
    ...(nfs && { nfs: { clients: words(clients), ...(squash ? {} : { squash }) } }),
  }
}
