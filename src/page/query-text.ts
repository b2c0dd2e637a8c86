// The query of a path. A `+` in it would be a blank of forms alone: the appliance takes it for a plus, in most places.

export const queryText = (query: URLSearchParams): string => String(query).replaceAll('+', '%20')
