// Rows of the account's ledger in a trader's words: what happened, by how much the account grew or shrank, and with whom.

import type { LedgerUpdate } from '../core/shapes.ts'
import { num } from '../core/numbers.ts'

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
const KINDS: Record<string, [string, Sign, string]> = {
  deposit: ['Deposit', 1, ''],
  withdraw: ['Withdrawal', -1, ''],
  accountActivationGas: ['Opening the account', -1, 'Paid once, when an address becomes an account'],
  debtLevy: ['Share of others’ debts', 'told', 'A liquidation left a debt that the insurance fund could not pay: winners paid a part of it'],
  debtCovered: ['Debt paid by others', 1, 'The account was worth less than nothing: the insurance fund and winners paid the rest'],
  liquidationProceeds: ['To the insurance fund', 'told', 'What closing the positions of a locked account brought'],
  dust: ['Too small to keep', 0, 'What was sent is too little to wait for an account, and went to the insurance fund'],
  claimed: ['Waiting money credited', 1, 'What waited for the account'],
  collected: ['Account let go', -1, 'What was left of an account that was not used for long; it waits until the account opens again'],
}
const TRANSFERS = new Set(['internalTransfer', 'spotTransfer', 'send'])

export function ledgerTold({ delta }: LedgerUpdate, own: string): Told {
  const raw = num(delta.usdc ?? delta.amount) ?? 0
  const transfer = TRANSFERS.has(delta.type) ? counterparty(delta, own) : null
  const [name, sign, meaning] = transfer
    ? ([transfer.way === 'from' ? 'Received' : 'Sent', transfer.way === 'from' ? 1 : -1, ''] as const)
    : (KINDS[delta.type] ?? ([delta.type, 0, ''] as const))
  const change = delta.unclaimed || sign === 0 ? null : sign === 'told' ? raw : sign * raw
  return { name, meaning, change, amount: Math.abs(raw), token: delta.token?.split(':')[0] ?? 'USDC', other: transfer }
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
