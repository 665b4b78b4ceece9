// What a field means, told by its name and form, so that it can be shown well and linked.

import { t, type Key } from './strings.ts'

export type Meaning = {
  kind: 'tx' | 'block' | 'batch' | 'account' | 'time' | 'good' | 'young' | 'bad' | 'long' | 'none' | 'plain'
  text: string
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const GOOD = new Set(['included', 'executed', 'success', 'buy'])
const BAD = new Set(['failed', 'excluded', 'voided', 'skipped', 'sell'])
const YOUNG = 'preconfirmed'
const SAID = new Set([...GOOD, ...BAD, YOUNG])
const LONG = 60

/** A name that has words here. */
export type FactName = Key extends infer K ? (K extends `fact.${infer Name}` ? Name : never) : never
export type Facts = Partial<Record<FactName, unknown>>

/** A fact's name in words. */
export function title(name: FactName): string {
  return t(`fact.${name}`)
}

/** What a fact says: the node's own word for it where there is one here. */
export function said(text: string): string {
  return SAID.has(text) ? t(`said.${text}` as Key) : text
}

export function meaning(name: string, value: unknown): Meaning {
  if (value === null || value === undefined || value === '') return { kind: 'none', text: '–' }
  const text = Array.isArray(value) ? value.join(', ') : String(value)
  if (ADDRESS.test(text)) return { kind: 'account', text }
  if (name === 'blockHash' || name === 'parentHash') return { kind: 'block', text }
  if (name === 'hash' && HASH.test(text)) return { kind: 'tx', text }
  if (name === 'number' || name === 'block' || name === 'baseBlock') return { kind: 'block', text }
  if (name === 'batch') return { kind: 'batch', text }
  if (name === 'time') return { kind: 'time', text }
  if (name === 'unrealised') return { kind: text.startsWith('+') ? 'good' : text.startsWith('-') ? 'bad' : 'plain', text }
  if (GOOD.has(text)) return { kind: 'good', text }
  if (BAD.has(text)) return { kind: 'bad', text }
  if (text === YOUNG) return { kind: 'young', text }
  return { kind: text.length > LONG ? 'long' : 'plain', text }
}
