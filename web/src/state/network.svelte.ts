// Which chain this is and how far it has come: chain id, kind of network, newest block.

import { explore, info, rpc } from '../net/http.ts'

const POLL_MS = 2000
const KINDS: Record<number, 'main' | 'test' | 'dev'> = { 926000: 'main', 926001: 'test', 926002: 'dev' }

/** The quote token's contract and the address that stands for the exchange on the Ethereum side. */
export const QUOTE_TOKEN = '0x00000000000000000000000000000000c0110001'
export const QUOTE_SYSTEM_ADDRESS = '0x2000000000000000000000000000000000000000'
export const QUOTE_DECIMALS = 6

interface LatestBlock {
  number: number
  hash: string
  batchList: { seq: number; time?: number }[]
}

class NetworkState {
  chainId = $state<number | null>(null)
  headNumber = $state<number | null>(null)
  headHash = $state<string | null>(null)
  /** Exchange time of the last batch that a block contains. */
  includedTimeMs = $state(0)
  /** When this page first saw the newest block, by its own clock. */
  headSeenMs = $state(0)
  /** Exchange time of the newest batch, as far as the page has heard. */
  batchTimeMs = $state(0)

  #heardAt = 0

  get kind(): 'main' | 'test' | 'dev' | 'unknown' {
    return (this.chainId !== null && KINDS[this.chainId]) || 'unknown'
  }

  get name(): string {
    return this.kind === 'main' ? 'Coinone' : `Coinone ${this.kind}`
  }

  start(): void {
    void this.#poll()
    setInterval(() => void this.#poll(), POLL_MS)
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

  /** The chain's time, asked for now. Raises Unreachable. */
  async askTimeMs(): Promise<number> {
    const { time } = await info<{ time: number }>('exchangeStatus')
    this.heard(time)
    return time
  }

  /** True once a block contains the batch of this time: times of batches only grow. */
  isIncluded(timeMs: number): boolean {
    return timeMs <= this.includedTimeMs
  }

  async #poll(): Promise<void> {
    if (document.hidden) return
    try {
      if (this.chainId === null) this.chainId = Number(await rpc<string>('eth_chainId'))
      const block = await explore<LatestBlock>('block/latest')
      if (block.number !== this.headNumber || block.hash !== this.headHash) this.headSeenMs = Date.now()
      this.headNumber = block.number
      this.headHash = block.hash
      this.includedTimeMs = Math.max(this.includedTimeMs, block.batchList.at(-1)?.time ?? 0)
      await this.askTimeMs()
    } catch {
      // The feed reports a node that is gone; the next poll tries again.
    }
  }
}

export const network = new NetworkState()
