// A wallet, as little of it as the pages need: an address that can sign typed data and send an Ethereum transaction.

import type { Hex } from 'viem'
import type { TypedData } from '../../core/signing.ts'

export interface EthereumCall {
  to: Hex
  data?: Hex
  value?: bigint
}

export interface Wallet {
  readonly kind: 'dev' | 'injected'
  readonly label: string
  readonly address: Hex
  signTypedData(data: TypedData): Promise<Hex>
  /** Resolves with the transaction's hash once the network has accepted it. */
  send(call: EthereumCall): Promise<Hex>
  /** Ask the wallet to know this network; absent where that makes no sense. */
  addNetwork?(): Promise<void>
  /** Calls back when the wallet moves to another account (itself, for that account) or is locked (null). */
  onChange(listener: (wallet: Wallet | null) => void): () => void
}
