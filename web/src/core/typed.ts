// Numbers as people type them, read as the page itself writes numbers: commas between thousands, a point before the decimals.
//
// A comma alone is a decimal sign only where it cannot stand between thousands, and a point before three digits of which
// the last is 0 is none: nobody writes 1.000 for 1, and the page never does. Nothing is dropped and nothing guessed: a
// text that cannot be read in exactly one way is no number and says why, and what depends on it is not signed.

import { t } from '../i18n/locale.svelte.ts'
import { wire } from './numbers.ts'

export type Typed = { text: string; problem: null } | { text: null; problem: string }

const PLAIN = /^(\d+\.?\d*|\.\d+)$/
const THOUSANDS = /^[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/
const COMMA = /^\d*,\d+$/
const TWO_WAYS = /^(0*[1-9]\d*,\d{3}|[1-9]\d{0,2}\.\d\d0)$/

/** The number as wire text, or what is wrong with it. */
export function read(typed: string): Typed {
  const shown = typed.trim()
  if (TWO_WAYS.test(shown)) {
    const [whole, part] = shown.split(/[,.]/) as [string, string]
    return { text: null, problem: t('typed.twoWays', { shown, first: `${whole}${part}`, second: wire(`${whole}.${part}`) }) }
  }
  const text = THOUSANDS.test(shown) ? shown.replaceAll(',', '') : COMMA.test(shown) ? shown.replace(',', '.') : shown
  if (!PLAIN.test(text)) return { text: null, problem: t('typed.none', { shown: shown.slice(0, 24) }) }
  return { text: wire(text.replace(/^\./, '0.').replace(/\.$/, '')), problem: null }
}

/** For estimates; null where nothing can be read. */
export function readNumber(typed: string): number | null {
  const { text } = read(typed)
  return text === null ? null : Number(text)
}
