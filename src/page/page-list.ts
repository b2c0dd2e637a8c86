// Which pages the signed-in user sees, and why another one is hidden.
import type { Content } from './kit/page-props.ts'
import { hasController, hasEndpoint, may, type Role, session } from './session.ts'

export const GROUPS = ['Appliance', 'Storage', 'Sharing', 'System', 'Accounts'] as const
type Group = (typeof GROUPS)[number]

export interface Entry {
  name: string
  title: string
  group: Group
  Content: Content
  /** The least role that may open it; viewer when left out. */
  role?: Role
  /** Shown only where this optional endpoint of the admin API is enabled. */
  endpoint?: string
  /** Shown only to accounts, where the storage API is enabled. */
  controller?: true
}

const isVisible = ({ role = 'viewer', endpoint, controller }: Entry) =>
  may(role) && (endpoint === undefined || hasEndpoint(endpoint)) && (!controller || hasController())

/** Why an existing page is hidden; undefined when no page has this name. */
export function whyHidden(pages: readonly Entry[], name: string): string | undefined {
  const entry = pages.find((one) => one.name === name)
  if (!entry) return undefined
  const { title, role = 'viewer', controller } = entry
  const own = session.get().session?.role
  if (!may(role)) return `${title} requires the role ${role}; your role is ${own}. Ask an administrator.`
  if (!controller || hasController()) return `${title} is disabled on this appliance.`
  return session.get().controller
    ? `${title} requires an account; you are signed in with the API token.`
    : `${title} is disabled on this appliance, because its storage API is.`
}

export const pageOf = (pages: readonly Entry[], name: string) =>
  pages.find((entry) => entry.name === name && isVisible(entry))
export const visible = (pages: readonly Entry[], group: Group) =>
  pages.filter((entry) => entry.group === group && isVisible(entry))
