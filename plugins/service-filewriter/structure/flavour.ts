// Whose reader a file is for beside the usual ones.

export const flavours = ['usual', 'mantid'] as const
export type Flavour = (typeof flavours)[number]

export const isFlavour = (value: unknown): value is Flavour => flavours.some((flavour) => flavour === value)
