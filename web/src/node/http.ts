// The doors of a node that answer questions: JSON by POST, and the explorer's by GET.

import type { ExchangeAnswer } from '../core/shapes.ts'
import { t } from '../i18n/locale.svelte.ts'

export class NodeError extends Error {}

/** No answer that can be believed: what was asked may have been done, or not. */
export class Unreachable extends NodeError {}

export class NotFound extends NodeError {}

/** The address has asked for more than the node gives it: this was not looked at. It says nothing of what was sent
 * before; whoever asks what became of that asks again later. */
export class AskedTooMuch extends NodeError {}

const TOO_MANY_REQUESTS = 429
const LIMIT_EXCEEDED = -32005 // of JSON-RPC

/** Whether the failure of a question leaves open what the answer is: then it is asked again. */
export function isNoAnswer(fault: unknown): boolean {
  return fault instanceof Unreachable || fault instanceof AskedTooMuch
}

const TIMEOUT_MS = 15_000

export class Http {
  readonly #origin: string
  #lastId = 0

  constructor(origin: string) {
    this.#origin = origin
  }

  async #post(path: string, body: unknown): Promise<unknown> {
    let response: Response
    let text: string
    try {
      response = await fetch(`${this.#origin}${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      text = await response.text()
    } catch {
      throw new Unreachable(t('node.noAnswer'))
    }
    let answer: unknown
    try {
      answer = JSON.parse(text)
    } catch {
      throw new Unreachable(t('node.noJson', { status: response.status }))
    }
    if (!response.ok) {
      const fault = answer as { msg?: string; error?: string }
      // 4xx says that the request was not taken; 5xx may come after it was.
      const Kind = response.status === TOO_MANY_REQUESTS ? AskedTooMuch : response.status < 500 ? NodeError : Unreachable
      throw new Kind(fault.msg ?? fault.error ?? t('node.answered', { status: response.status }))
    }
    return answer
  }

  info<T>(type: string, fields: Record<string, unknown> = {}): Promise<T> {
    return this.#post('/info', { type, ...fields }) as Promise<T>
  }

  exchange(body: unknown): Promise<ExchangeAnswer> {
    return this.#post('/exchange', body) as Promise<ExchangeAnswer>
  }

  async rpc<T>(method: string, params: unknown[] = []): Promise<T> {
    const answer = (await this.#post('/rpc', { jsonrpc: '2.0', id: ++this.#lastId, method, params })) as {
      result?: T
      error?: { code: number; message: string }
    }
    if (answer.error) throw new (answer.error.code === LIMIT_EXCEEDED ? AskedTooMuch : NodeError)(answer.error.message)
    return answer.result as T
  }

  async explore<T>(path: string): Promise<T> {
    let response: Response
    try {
      response = await fetch(`${this.#origin}/explorer/${path}`, { signal: AbortSignal.timeout(TIMEOUT_MS) })
    } catch {
      throw new Unreachable(t('node.noAnswer'))
    }
    const answer = (await response.json().catch(() => null)) as (T & { msg?: string; error?: string }) | null
    if (response.status === 404) throw new NotFound(answer?.msg ?? t('node.notFound'))
    if (response.status === TOO_MANY_REQUESTS) throw new AskedTooMuch(answer?.msg ?? t('node.tooMany'))
    if (answer === null || response.status >= 500) throw new Unreachable(t('node.answered', { status: response.status }))
    if (!response.ok) throw new NodeError(answer.msg ?? answer.error ?? t('node.answered', { status: response.status }))
    return answer
  }
}
