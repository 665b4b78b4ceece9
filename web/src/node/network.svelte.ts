// Which chain this is and how far it has come: chain id, kind of network, newest block.
//
// Blocks come by a stream, and so does the time where anything happens in the market that is shown: what is asked for
// besides costs the address weight, which its orders need.

import type { Feed } from './feed.svelte.ts'
import { followHeads, type Head } from './heads.ts'
import type { Http } from './http.ts'
import { poll } from './poll.ts'

/** So far the stream may be behind the time that the node tells when it is asked. */
const BEHIND_MS = 5000
const CHAIN_POLL_MS = 2000 // until it is known
const TIME_POLL_MS = 5000
const INCLUDED_POLL_MS = 20_000
const KINDS: Record<number, 'main' | 'test' | 'dev'> = { 926000: 'main', 926001: 'test', 926002: 'dev' }

/** The quote token's contract and the address that stands for the exchange on the Ethereum side. */
export const QUOTE_TOKEN = '0x00000000000000000000000000000000c0110001'
export const QUOTE_SYSTEM_ADDRESS = '0x2000000000000000000000000000000000000000'
export const QUOTE_DECIMALS = 6

interface LatestBlock {
  batchList: { seq: number; time?: number }[]
}

export class Network {
  chainId = $state<number | null>(null)
  head = $state.raw<Head | null>(null)
  /** Exchange time of the last batch that a block contains. */
  includedTimeMs = $state(0)
  /** When this page first saw the newest block, by its own clock. */
  headSeenMs = $state(0)
  /** Exchange time of the newest batch, as far as the page has heard. */
  batchTimeMs = $state(0)

  #heardAt = 0
  #streamTimeMs = 0
  readonly #origin: string
  readonly #http: Http
  readonly #feed: Feed

  constructor(origin: string, http: Http, feed: Feed) {
    this.#origin = origin
    this.#http = http
    this.#feed = feed
  }

  get kind(): 'main' | 'test' | 'dev' | 'unknown' {
    return (this.chainId !== null && KINDS[this.chainId]) || 'unknown'
  }

  get name(): string {
    return this.kind === 'main' ? 'Coinone' : `Coinone ${this.kind}`
  }

  start(): void {
    followHeads(`${this.#origin.replace(/^http/, 'ws')}/rpc`, (head) => {
      if (head.hash !== this.head?.hash) this.headSeenMs = Date.now()
      this.head = head
    })
    const stop = poll(async () => {
      this.chainId = Number(await this.#http.rpc<string>('eth_chainId'))
      stop()
    }, CHAIN_POLL_MS)
    poll(async () => {
      if (performance.now() - this.#heardAt >= TIME_POLL_MS || this.batchTimeMs === 0 || this.#feed.isSlow) await this.askTimeMs()
      if (this.#feed.isSlow && this.batchTimeMs - this.#streamTimeMs >= BEHIND_MS) this.#feed.distrust()
    }, TIME_POLL_MS)
  }

  /** Learn which batches are in blocks, for as long as something that is shown is in none yet. */
  followIncluded(newestMs: () => number): () => void {
    return poll(async () => {
      if (this.isIncluded(newestMs())) return
      const block = await this.#http.explore<LatestBlock>('block/latest')
      this.includedTimeMs = Math.max(this.includedTimeMs, block.batchList.at(-1)?.time ?? 0)
    }, INCLUDED_POLL_MS)
  }

  get headNumber(): number | null {
    return this.head?.number ?? null
  }

  /** The stream told the batch of this time. */
  streamed(timeMs: number): void {
    this.#streamTimeMs = Math.max(this.#streamTimeMs, timeMs)
    this.heard(timeMs)
  }

  heard(timeMs: number): void {
    if (timeMs <= this.batchTimeMs) return
    this.batchTimeMs = timeMs
    this.#heardAt = performance.now()
  }

  /** The chain's own time now, as far as the page can tell: a wrong clock of this computer changes nothing. */
  chainNowMs(): number {
    return this.batchTimeMs === 0 ? Date.now() : Math.floor(this.batchTimeMs + performance.now() - this.#heardAt)
  }

  /** The chain's time, asked for now. Raises NodeError. */
  async askTimeMs(): Promise<number> {
    const { time } = await this.#http.info<{ time: number }>('exchangeStatus')
    this.heard(time)
    return time
  }

  /** True once a block contains the batch of this time: times of batches only grow. */
  isIncluded(timeMs: number): boolean {
    return timeMs <= this.includedTimeMs
  }
}
