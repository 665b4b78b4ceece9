// What a field means, told by its name and form, so that it can be shown well and linked.

export type Meaning = {
  kind: 'tx' | 'block' | 'batch' | 'account' | 'time' | 'good' | 'young' | 'bad' | 'long' | 'none' | 'plain'
  text: string
}

const ADDRESS = /^0x[0-9a-fA-F]{40}$/
const HASH = /^0x[0-9a-fA-F]{64}$/
const GOOD = new Set(['included', 'executed', 'success', 'buy'])
const BAD = new Set(['failed', 'excluded', 'voided', 'skipped', 'sell'])
const LONG = 60

export function title(name: string): string {
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
  return words.charAt(0).toUpperCase() + words.slice(1)
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
  if (GOOD.has(text)) return { kind: 'good', text }
  if (BAD.has(text)) return { kind: 'bad', text }
  if (text === 'preconfirmed') return { kind: 'young', text }
  return { kind: text.length > LONG ? 'long' : 'plain', text }
}
