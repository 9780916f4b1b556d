// Attributes of every time dataset: readers make datetimes of them.
export const timeAttributes = { units: 'ns', start: '1970-01-01T00:00:00Z' } as const
