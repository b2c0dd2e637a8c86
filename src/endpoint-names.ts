// The endpoints of the admin surface by their first-level names, as the configuration and `GET /endpoints` name them.

/** Those that no configuration switches off (contract: "Default API Endpoints"). */
export const DEFAULT_ENDPOINTS = [
  'setup',
  'update',
  'logs',
  'debug',
  'reboot',
  'services',
  'version',
  'changelog',
  'build',
  'health',
  'endpoints',
] as const

/** Those that a configuration may switch on (contract: "Optional API Endpoints"). */
export const OPTIONAL_ENDPOINTS = ['settings', 'certs', 'license', 'storage', 'backup'] as const
