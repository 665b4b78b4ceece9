// Who is at the screen: a wallet, perhaps with a trading key that makes orders one click.

import type { Hex } from 'viem'
import { userTypedData, actionHash, l1TypedData, sourceOf, splitSignature, CHAIN_NAME, type UserAction } from '../lib/signing.ts'
import type { Packable } from '../lib/msgpack.ts'
import { exchange, type ExchangeAnswer } from '../net/http.ts'
import { approvedName, forgetAgent, newAgent, storeAgent, storedAgent, type Agent } from '../wallet/agent.ts'
import { devWallet } from '../wallet/dev.ts'
import type { Wallet } from '../wallet/wallet.ts'
import { account } from './account.svelte.ts'
import { network } from './network.svelte.ts'

const REMEMBERED = 'coinone.devkey'
const REVOKED_FOR_DAYS = 1 / 24
/** The chain's words for a key that it does not know (any more). */
const UNKNOWN_SIGNER = /API Wallet .* does not exist/

class SessionState {
  wallet = $state.raw<Wallet | null>(null)
  agent = $state.raw<Agent | null>(null)

  #stop: () => void = () => undefined
  #lastNonce = 0

  get address(): Hex | null {
    return this.wallet?.address ?? null
  }

  /** A reload keeps the dev key of this tab; an injected wallet asks again. */
  async resume(): Promise<void> {
    const index = sessionStorage.getItem(REMEMBERED)
    if (index !== null && network.kind === 'dev') await this.useDevKey(Number(index))
  }

  async useDevKey(index: number): Promise<void> {
    await this.use(await devWallet(index, network.chainId!))
    sessionStorage.setItem(REMEMBERED, String(index))
  }

  async use(wallet: Wallet): Promise<void> {
    this.leave()
    this.agent = await storedAgent(network.chainId!, wallet.address)
    this.wallet = wallet
    account.address = wallet.address
    this.#stop = wallet.onChange((address) => {
      if (address === null) this.leave()
      else if (address !== wallet.address) void this.use({ ...wallet, address })
    })
  }

  leave(): void {
    this.#stop()
    this.#stop = () => undefined
    this.wallet = null
    this.agent = null
    account.address = null
    sessionStorage.removeItem(REMEMBERED)
  }

  async enableTrading(days: number): Promise<void> {
    const { agent, key } = await newAgent(days)
    await this.#approve(agent.address, approvedName(agent))
    storeAgent(network.chainId!, this.address!, agent, key)
    this.agent = agent
  }

  /** An agent's name belongs to one key: giving it to a key that is thrown away takes it from the one that had it. */
  async revokeAgent(): Promise<void> {
    const { agent } = await newAgent(REVOKED_FOR_DAYS)
    await this.#approve(agent.address, approvedName(agent))
    this.#forgetAgent()
  }

  /** Trade with the agent's key: no wallet prompt. */
  async trade(action: Packable): Promise<ExchangeAnswer> {
    if (!this.agent) throw new Error('Enable trading first.')
    const nonce = this.#nonce()
    const data = l1TypedData(sourceOf(network.chainId!), actionHash(action, nonce))
    const answer = await exchange({ action, nonce, signature: splitSignature(await this.agent.signTypedData(data)) })
    if (answer.status === 'err' && UNKNOWN_SIGNER.test(String(answer.response))) this.#forgetAgent()
    return accepted(answer)
  }

  /** Sign with the wallet itself: transfers and approvals. `time` is the field that carries the nonce. */
  async sign(type: string, time: 'nonce' | 'time', fields: Record<string, string>): Promise<ExchangeAnswer> {
    const nonce = this.#nonce()
    const signatureChainId: Hex = `0x${network.chainId!.toString(16)}`
    const action: UserAction = { type, hyperliquidChain: CHAIN_NAME, signatureChainId, ...fields, [time]: nonce }
    const signature = await this.wallet!.signTypedData(userTypedData(action))
    return accepted(await exchange({ action, nonce, signature: splitSignature(signature) }))
  }

  #forgetAgent(): void {
    forgetAgent(network.chainId!, this.address!)
    this.agent = null
  }

  #approve(agentAddress: Hex, agentName: string): Promise<ExchangeAnswer> {
    return this.sign('approveAgent', 'nonce', { agentAddress, agentName })
  }

  /** Milliseconds, never the same twice. */
  #nonce(): number {
    this.#lastNonce = Math.max(Date.now(), this.#lastNonce + 1)
    return this.#lastNonce
  }
}

function accepted(answer: ExchangeAnswer): ExchangeAnswer {
  if (answer.status !== 'ok') throw new Error(typeof answer.response === 'string' ? answer.response : 'The node refused.')
  return answer
}

export const session = new SessionState()
