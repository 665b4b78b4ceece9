// Rows of the account's ledger in a trader's words: what happened, by how much the account grew or shrank, and with whom.

import { num } from '../core/numbers.ts'
import type { LedgerUpdate } from '../core/shapes.ts'
import { t, type Key } from '../i18n/locale.svelte.ts'

export interface Told {
  name: string
  /** What it means, where the name does not say it all. */
  meaning: string
  /** By how much the account's balance changed; null where it did not. */
  change: number | null
  /** What was moved, without a sign. */
  amount: number
  token: string
  other: { way: 'from' | 'to'; address: string } | null
}

type Sign = 1 | -1 | 0 | 'told'

/** Of each kind its name, the sign of its amount ('told' where the node says it) and its meaning. */
const KINDS: Record<string, [Key, Sign, Key?]> = {
  deposit: ['ledger.deposit', 1],
  withdraw: ['ledger.withdraw', -1],
  accountActivationGas: ['ledger.activation', -1, 'ledger.activation.meaning'],
  debtLevy: ['ledger.levy', 'told', 'ledger.levy.meaning'],
  debtCovered: ['ledger.covered', 1, 'ledger.covered.meaning'],
  liquidationProceeds: ['ledger.proceeds', 'told', 'ledger.proceeds.meaning'],
  dust: ['ledger.dust', 0, 'ledger.dust.meaning'],
  claimed: ['ledger.claimed', 1, 'ledger.claimed.meaning'],
  collected: ['ledger.collected', -1, 'ledger.collected.meaning'],
}
const TRANSFERS = new Set(['internalTransfer', 'spotTransfer', 'send'])

export function ledgerTold({ delta }: LedgerUpdate, own: string): Told {
  const raw = num(delta.usdc ?? delta.amount) ?? 0
  const transfer = TRANSFERS.has(delta.type) ? counterparty(delta, own) : null
  const { name, sign, meaning } = transfer ? transferTold(transfer.way) : kindTold(delta.type)
  const change = delta.unclaimed || sign === 0 ? null : sign === 'told' ? raw : sign * raw
  return { name, meaning, change, amount: Math.abs(raw), token: delta.token?.split(':')[0] ?? 'USDC', other: transfer }
}

function transferTold(way: 'from' | 'to'): { name: string; sign: Sign; meaning: string } {
  return way === 'from' ? { name: t('ledger.received'), sign: 1, meaning: '' } : { name: t('ledger.sent'), sign: -1, meaning: '' }
}

/** A kind that is not known here has the node's name for it. */
function kindTold(type: string): { name: string; sign: Sign; meaning: string } {
  const known = KINDS[type]
  if (!known) return { name: type, sign: 0, meaning: '' }
  const [name, sign, meaning] = known
  return { name: t(name), sign, meaning: meaning ? t(meaning) : '' }
}

function counterparty({ user, destination }: LedgerUpdate['delta'], own: string): Told['other'] {
  const isOwn = (address?: string): boolean => address?.toLowerCase() === own.toLowerCase()
  if (isOwn(destination) && user) return { way: 'from', address: user }
  return destination ? { way: 'to', address: destination } : null
}

/** A name of each row of a message: rows that say the very same, as of two deposits by one transaction, are two. */
export function rowNames<T>(rows: readonly T[]): string[] {
  const seen = new Map<string, number>()
  return rows.map((row) => {
    const text = JSON.stringify(row)
    const nth = seen.get(text) ?? 0
    seen.set(text, nth + 1)
    return `${text}/${nth}`
  })
}
