// What a field of the explorer's JSON means, told by its name and form, so that it can be shown and linked.

export type Meaning = { kind: 'tx' | 'block' | 'account' | 'time' | 'good' | 'bad' | 'long' | 'none' | 'plain'; text: string }

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const BLOCK_HASHES = new Set(['parentHash', 'blockHash', 'baseHash'])
const BLOCK_NUMBERS = new Set(['number', 'block', 'blockNumber', 'height', 'base', 'baseBlock'])
const TRANSACTIONS = new Set(['hash', 'txHash', 'transactionHash', 'tx', 'transactions', 'action'])
const GOOD = new Set(['included', 'executed', 'success', 'ok', 'checkpointed', 'filled'])
const BAD = new Set(['failed', 'excluded', 'voided', 'skipped', 'err', 'error', 'rejected'])
const LONG = 60

export function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function isRows(value: unknown): value is object[] {
  return Array.isArray(value) && value.every(isRecord)
}

export function title(name: string): string {
  const words = name.replace(/_/g, ' ').replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
}

export function meaning(name: string, value: unknown): Meaning {
  if (value === null || value === undefined || value === '') return { kind: 'none', text: '–' }
  if (typeof value === 'boolean') return { kind: 'plain', text: value ? 'yes' : 'no' }
  if (Array.isArray(value)) return { kind: 'long', text: value.map((item) => (typeof item === 'object' ? JSON.stringify(item) : String(item))).join(', ') }
  if (typeof value === 'object') return { kind: 'long', text: JSON.stringify(value) }
  const text = String(value)
  if (ADDRESS.test(text)) return { kind: 'account', text }
  if (HASH.test(text) && TRANSACTIONS.has(name)) return { kind: 'tx', text }
  if (HASH.test(text) && BLOCK_HASHES.has(name)) return { kind: 'block', text }
  if (BLOCK_NUMBERS.has(name) && /^(\d+|0x[0-9a-f]{1,15})$/.test(text)) return { kind: 'block', text: String(Number(text)) }
  if (/(^|_)time(_?ms)?$|TimeMs$|^timestamp(Ms)?$/i.test(name)) {
    const n = Number(text)
    if (n > 1e12) return { kind: 'time', text: String(n) }
    if (n > 1e9) return { kind: 'time', text: String(n * 1000) }
  }
  if (GOOD.has(text)) return { kind: 'good', text }
  if (BAD.has(text)) return { kind: 'bad', text }
  return { kind: text.length > LONG ? 'long' : 'plain', text }
}
