// Which chain this is and how far it has come: chain id, kind of network, newest block.

import { info, rpc } from '../net/http.ts'

const POLL_MS = 2000
const KINDS: Record<number, 'main' | 'test' | 'dev'> = { 926000: 'main', 926001: 'test', 926002: 'dev' }

/** The quote token's contract and the address that stands for the exchange on the Ethereum side. */
export const QUOTE_TOKEN = '0x00000000000000000000000000000000c0110001'
export const QUOTE_SYSTEM_ADDRESS = '0x2000000000000000000000000000000000000000'
export const QUOTE_DECIMALS = 6

interface RpcBlock {
  number: string
  hash: string
  timestamp: string
}

class NetworkState {
  chainId = $state<number | null>(null)
  headNumber = $state<number | null>(null)
  headHash = $state<string | null>(null)
  headTimeMs = $state<number | null>(null)
  /** When this page first saw the newest block, by its own clock. */
  headSeenMs = $state(0)
  /** Exchange time of the newest batch, as far as the page has heard. */
  batchTimeMs = $state(0)

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
    if (timeMs > this.batchTimeMs) this.batchTimeMs = timeMs
  }

  /** True once a block contains what happened at this exchange time. */
  isIncluded(timeMs: number): boolean {
    return this.headTimeMs !== null && timeMs < this.headTimeMs
  }

  async #poll(): Promise<void> {
    if (document.hidden) return
    try {
      if (this.chainId === null) this.chainId = Number(await rpc<string>('eth_chainId'))
      const block = await rpc<RpcBlock>('eth_getBlockByNumber', ['latest', false])
      const number = Number(block.number)
      if (number !== this.headNumber || block.hash !== this.headHash) this.headSeenMs = Date.now()
      this.headNumber = number
      this.headHash = block.hash
      this.headTimeMs = Number(block.timestamp) * 1000
      const status = await info<{ time?: number }>('exchangeStatus')
      if (status.time) this.heard(status.time)
    } catch {
      // The feed reports a node that is gone; the next poll tries again.
    }
  }
}

export const network = new NetworkState()
