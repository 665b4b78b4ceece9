// What became of an action whose answer was lost: asked of the chain until it can say.
//
// Only an action with a last moment (expiresAfter) can be known not to have happened: once the chain's own time has
// passed it, nothing can carry it out any more. One without is reported as not known.

import type { Hex } from 'viem'
import { isUntraded, outcomeFound, type Outcome } from '../core/outcome.ts'
import { pause } from '../core/pauses.ts'
import type { ExchangeAnswer, Fill, OrderStatusAnswer } from '../core/shapes.ts'
import { t } from '../i18n/locale.svelte.ts'
import type { NodeClient } from './client.ts'
import { isNoAnswer, NotFound } from './http.ts'

/** Pauses between questions: an address out of weight must not lose it to them. */
const PAUSES_MS = [500, 500, 1000, 1500, 2500]
/** By so much the histories may lag behind the time that the node tells. */
const LAG_MS = 2000
/** An action without a last moment is looked for this long, in the chain's time. */
const LOOK_FOR_MS = 10_000

/** The action was sent and no answer came back: it may have been carried out. */
export class AnswerLost extends Error {
  readonly hash: Hex
  readonly expiresAfterMs: number | null

  constructor(hash: Hex, expiresAfterMs: number | null) {
    super('The answer was lost.')
    this.hash = hash
    this.expiresAfterMs = expiresAfterMs
  }
}

/** Not done as far as the chain shows, and no proof that it never will be. */
export class NotKnown extends Error {}

/** The order's outcome; null if it was refused, or never arrived and cannot any more. */
export function orderOutcome(node: NodeClient, user: Hex, cloid: string, expiresAfterMs: number): Promise<Outcome | null> {
  return untilKnown(node, expiresAfterMs, async () => {
    const found = await node.http.info<OrderStatusAnswer>('orderStatus', { user, oid: cloid })
    if (found.order === undefined) return null
    if (isUntraded(found.order)) return outcomeFound(found.order, [])
    return outcomeFound(found.order, await node.http.info<Fill[]>('userFillsByTime', { user, startTime: found.order.order.timestamp }))
  })
}

/** The answer that was lost, as the chain remembers it. Raises NotKnown. */
export async function answerOf(node: NodeClient, { hash, expiresAfterMs }: AnswerLost): Promise<ExchangeAnswer> {
  const last = expiresAfterMs ?? node.network.chainNowMs() + LOOK_FOR_MS
  const found = await untilKnown(node, last, async () => {
    try {
      return await node.http.explore<{ status: string | null; response: ExchangeAnswer['response'] | null }>(`tx/${hash}`)
    } catch (fault) {
      if (fault instanceof NotFound) return null
      throw fault
    }
  })
  if (found?.status === 'executed') return { status: 'ok', response: found.response ?? 'executed' }
  if (found?.status) return { status: 'err', response: found.status }
  if (found) throw new NotKnown(t('node.forgotten'))
  if (expiresAfterMs === null) throw new NotKnown(t('node.notShown'))
  return { status: 'err', response: t('node.expired') }
}

/** Ask until something is found; null once the chain has passed `lastMs` and still knows nothing. A question that fails
 * says nothing of what was sent: a node that is away or gives no more answers for a while is asked again. Raises NotKnown
 * where it will not answer at all. */
async function untilKnown<T>(node: NodeClient, lastMs: number, ask: () => Promise<T | null>): Promise<T | null> {
  for (let asked = 0; ; asked += 1) {
    try {
      const timeMs = await node.network.askTimeMs() // before the question, or a batch could slip in between
      const found = await ask()
      if (found !== null) return found
      if (timeMs > lastMs + LAG_MS) return null
    } catch (fault) {
      if (!isNoAnswer(fault)) throw new NotKnown(t('node.noWord', { said: (fault as Error).message }))
    }
    await pause(PAUSES_MS, asked)
  }
}
