// The newest block, told by the node's JSON-RPC WebSocket: nothing has to be asked for, and a block costs no weight.

import { pauseMs } from '../core/pauses.ts'

export interface Head {
  number: number
  hash: string
  timeMs: number
  gasUsed: number
}

interface HeadMessage {
  number: string
  hash: string
  timestamp: string
  gasUsed: string
}

const PAUSES_MS = [500, 1000, 2000, 5000, 10_000]
/** A line that says nothing for so long is asked for the newest block, and is dead if it says nothing then either. */
const SILENCE_MS = 30_000
const [SUBSCRIBE, LATEST] = [1, 2]

/** Follow the head of the chain that the JSON-RPC WebSocket at `url` tells, for as long as the page lives. */
export function followHeads(url: string, take: (head: Head) => void): void {
  let failures = 0
  let heardAt = 0
  let isAsked = false
  let socket: WebSocket

  const ask = (id: number, method: string, params: unknown[]): void => socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
  const askLatest = (): void => ask(LATEST, 'eth_getBlockByNumber', ['latest', false])

  function connect(): void {
    const own = (socket = new WebSocket(url))
    own.onopen = () => {
      heardAt = performance.now()
      isAsked = false
      ask(SUBSCRIBE, 'eth_subscribe', ['newHeads'])
      askLatest()
    }
    own.onmessage = ({ data }) => {
      heardAt = performance.now()
      isAsked = false
      const said = JSON.parse(String(data)) as { id?: number; error?: unknown; result?: unknown; params?: { result: HeadMessage } }
      if (said.error) return own.close() // the address has no weight left: again after a pause
      if (said.id === SUBSCRIBE) failures = 0
      const head = said.id === LATEST ? (said.result as HeadMessage | null) : said.params?.result
      if (head) take({ number: Number(head.number), hash: head.hash, timeMs: Number(head.timestamp) * 1000, gasUsed: Number(head.gasUsed) })
    }
    own.onclose = () => setTimeout(connect, pauseMs(PAUSES_MS, failures++))
  }

  function watch(): void {
    if (document.hidden || socket.readyState !== WebSocket.OPEN || performance.now() - heardAt < SILENCE_MS) return
    if (isAsked) return socket.close()
    isAsked = true
    askLatest()
  }
  connect()
  setInterval(watch, SILENCE_MS / 3)
  document.addEventListener('visibilitychange', watch)
}
