// Encodes the query of a path. A `+` is encoded, because most of the appliance's endpoints do not read it as a space.

export const queryText = (query: URLSearchParams): string => String(query).replaceAll('+', '%20')
