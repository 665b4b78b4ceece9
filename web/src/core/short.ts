/** A hash or an address for the eye: its first and its last four digits. */
export const short = (hash: string): string => `${hash.slice(0, 6)}…${hash.slice(-4)}`
