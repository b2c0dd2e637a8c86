// The product's version, from package.json: bundled in, so that the shipped file carries it.
import manifest from '../package.json' with { type: 'json' }

export const VERSION: string = manifest.version
