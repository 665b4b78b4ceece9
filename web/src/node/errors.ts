// Refusals in words that tell a trader what to do next. What is not known here is shown as the node said it.

import { t, type Key } from '../i18n/locale.svelte.ts'

const WORDS: [RegExp, Key][] = [
  [/insufficient margin/i, 'refusal.margin'],
  [/minimum value/i, 'refusal.minimum'],
  [/post.?only order would have immediately matched/i, 'refusal.postOnly'],
  [/could not immediately match/i, 'refusal.noMatch'],
  [/reduce.?only order would increase/i, 'refusal.reduceOnly'],
  [/divisible by tick|tick size|invalid price/i, 'refusal.tick'],
  [/invalid size|lot size/i, 'refusal.lot'],
  [/never placed, already canceled, or filled/i, 'refusal.notOpen'],
  [/that far away|too far from|price band/i, 'refusal.tooFar'],
  [/open interest/i, 'refusal.openInterest'],
  [/user or api wallet .* does not exist|no account|unknown (signer|agent|account)/i, 'refusal.unknownSigner'],
  [/no such account in the last block/i, 'refusal.noAccount'],
  [/too many extra agents/i, 'refusal.tooManyKeys'],
  [/agent.*expired|expired.*agent/i, 'refusal.keyExpired'],
  [/only orders that reduce|stale|no fresh oracle/i, 'refusal.staleOracle'],
  [/halted/i, 'refusal.halted'],
  [/too many open orders/i, 'refusal.tooManyOrders'],
  [/maximum position/i, 'refusal.maxPosition'],
  [/cannot decrease leverage/i, 'refusal.leverage'],
  [/insufficient (balance|funds)|not enough/i, 'refusal.balance'],
  [/too many requests/i, 'refusal.weight'],
  [/rate limit|too many|credits|quota/i, 'refusal.rate'],
  [/nonce/i, 'refusal.nonce'],
  [/user rejected|user denied/i, 'refusal.declined'],
]

export function inWords(fault: unknown): string {
  const said = typeof fault === 'string' ? fault : ((fault as { message?: string })?.message ?? t('node.wrong'))
  const known = WORDS.find(([pattern]) => pattern.test(said))
  return known ? t(known[1]) : said.replace(/\s*asset=\d+$/, '')
}
