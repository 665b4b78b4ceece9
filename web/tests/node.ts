// A node's other side for tests of state: what the pages ask is answered from a table, and the stream says what a test says.

import { vi } from 'vitest'
import { NodeClient } from '../src/node/client.ts'

export const ORIGIN = 'http://127.0.0.1:3001'

class Line {
  static readonly OPEN = 1
  static all: Line[] = []
  readyState = 0
  sent: { method: string; subscription?: unknown }[] = []
  onopen?: () => void
  onmessage?: (event: { data: string }) => void
  onclose?: () => void

  constructor(readonly url: string) {
    Line.all.push(this)
  }

  send(text: string): void {
    const message = JSON.parse(text) as { method: string; subscription?: unknown }
    this.sent.push(message)
    if (message.method === 'subscribe') this.hear('subscriptionResponse', message)
  }

  close(): void {
    this.readyState = 3
  }

  hear(channel: string, data: unknown): void {
    this.onmessage?.({ data: JSON.stringify({ channel, data }) })
  }
}

export interface TestNode {
  node: NodeClient
  asked: { type?: string }[]
  /** Open the lines that the pages have made since. */
  open(): void
  /** Say something on the line of that number, the first where none is given. */
  say(channel: string, data: unknown, nth?: number): void
}

/** A node that answers questions of each type from `answers`. */
export function testNode(answers: Record<string, unknown> = {}): TestNode {
  Line.all = []
  const asked: { type?: string }[] = []
  vi.stubGlobal('WebSocket', Line)
  vi.stubGlobal('requestAnimationFrame', (draw: () => void) => (draw(), 0))
  vi.stubGlobal('fetch', (_: string, { body }: { body: string }) => {
    const question = JSON.parse(body) as { type?: string }
    asked.push(question)
    const answer = answers[question.type ?? '']
    return Promise.resolve(new Response(JSON.stringify(answer ?? null), { status: answer === undefined ? 404 : 200 }))
  })
  const lines = () => Line.all.filter(({ url }) => url.endsWith('/ws'))
  return {
    node: new NodeClient(ORIGIN),
    asked,
    open() {
      for (const line of lines().filter(({ readyState }) => readyState === 0)) {
        line.readyState = Line.OPEN
        line.onopen?.()
      }
    },
    say: (channel, data, nth = 0) => lines()[nth]!.hear(channel, data),
  }
}

const CONTEXT = { funding: '0', openInterest: '0', prevDayPx: '100', dayNtlVlm: '0', premium: null, oraclePx: '100', midPx: null }

/** What metaAndAssetCtxs answers for markets of these marks, with sizes of 3 decimals and at most 20x. */
export function marketsAnswer(marks: Record<string, string>): unknown {
  const universe = Object.keys(marks).map((name) => ({ name, szDecimals: 3, maxLeverage: 20 }))
  return [{ universe }, Object.values(marks).map((markPx) => ({ ...CONTEXT, markPx }))]
}

export const book = (coin: string, bid: string, ask: string): unknown => ({ coin, time: 1, levels: [[{ px: bid, sz: '1', n: 1 }], [{ px: ask, sz: '2', n: 1 }]] })
