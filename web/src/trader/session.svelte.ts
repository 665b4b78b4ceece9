// Who is at the screen: a wallet, perhaps with a trading key that makes orders one click.
//
// A wallet may move to another account at any moment. So what an action needs of the session (wallet, account, trading
// key) is taken once, before the action first waits: what it signs, stores and asks is of that account to its end.

import type { Hex } from 'viem'
import { NOBODY, type Account } from '../account/account.svelte.ts'
import type { Packable } from '../core/msgpack.ts'
import type { ExchangeAnswer, NamedAgent } from '../core/shapes.ts'
import type { UserAction } from '../core/signing.ts'
import { t } from '../i18n/locale.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import { NodeError, Unreachable } from '../node/http.ts'
import { AnswerLost, answerOf } from '../node/outcomes.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import { approvedName, deviceName, dropUnnamed, forgetAgent, newAgent, onOtherTab, storeAgent, storedAgent, type Agent } from './wallet/agent.ts'
import { awaitInjected, connectInjected, type Announced } from './wallet/injected.ts'
import type { Wallet } from './wallet/wallet.ts'

/** An action that has not been carried out by then never will be: the outcome of a lost answer is known so soon. */
export const EXPIRES_MS = 10_000
const REMEMBERED = 'coinone.devkey' // of this tab
const INJECTED = 'coinone.wallet' // of this browser: the wallet's name in reverse-domain form
/** Extensions announce themselves late: so long it is said that the remembered one is looked for. It is taken later, too. */
const LOOKING_MS = 10_000
/** The chain's words for a key that it does not know (any more). */
const UNKNOWN_SIGNER = /API Wallet .* does not exist/

/** What signs is much code, and needed only by who has a wallet. Raises NodeError where it cannot be loaded. */
function signing(): Promise<typeof import('../core/signing.ts')> {
  return import('../core/signing.ts').catch(() => {
    throw new NodeError(t('node.noAnswer'))
  })
}

export class Session {
  wallet = $state.raw<Wallet | null>(null)
  agent = $state.raw<Agent | null>(null)

  /** Whether this browser's wallet is remembered and has not announced itself yet. */
  isLooking = $state(false)

  #stop: () => void = () => undefined
  /** The wallet that is used, also while its key is still being looked for. */
  #newest: Wallet | null = null
  #lastNonce = 0
  readonly #node: NodeClient
  readonly #account: Account
  readonly #screen: Screen

  constructor(node: NodeClient, account: Account, screen: Screen) {
    this.#node = node
    this.#account = account
    this.#screen = screen
  }

  get address(): Hex | null {
    return this.wallet?.address ?? null
  }

  /** A reload keeps the dev key of this tab, or the browser's wallet once that is there and allows its account here. */
  async resume(): Promise<void> {
    const index = sessionStorage.getItem(REMEMBERED)
    if (index !== null && this.#node.network.kind === 'dev') return this.useDevKey(Number(index))
    const rdns = localStorage.getItem(INJECTED)
    if (rdns === null || this.#newest !== null) return
    const found = (): void => void (this.isLooking = false)
    this.isLooking = true
    setTimeout(found, LOOKING_MS)
    const stop = awaitInjected(this.#node.network, rdns, found, (wallet) => void this.use(wallet))
    this.#stop = () => {
      stop()
      found()
    }
  }

  async useInjected(announced: Announced): Promise<void> {
    const used = this.use(await connectInjected(this.#node.network, announced))
    // at once, as it is of this wallet: who leaves it, or takes another, while its key is looked for has the last word
    sessionStorage.removeItem(REMEMBERED)
    localStorage.setItem(INJECTED, announced.rdns)
    await used
  }

  async useDevKey(index: number): Promise<void> {
    const { devWallet } = await import('./wallet/dev.ts')
    const used = this.use(devWallet(this.#node, index))
    sessionStorage.setItem(REMEMBERED, String(index))
    await used
  }

  async use(wallet: Wallet): Promise<void> {
    this.#release()
    this.#newest = wallet
    void signing().catch(() => undefined) // so that it is there when it is needed
    const stopTabs = onOtherTab(this.#node.network.chainId!, wallet.address, () => void this.#reloadAgent())
    const stopWallet = wallet.onChange((moved) => {
      if (moved === null) this.#lock(wallet)
      else if (moved.address !== wallet.address) void this.use(moved)
    })
    this.#stop = () => {
      stopTabs()
      stopWallet()
    }
    if (await dropUnnamed(this.#node.network.chainId!, wallet.address)) this.#screen.toast('notice', t('key.dropped'), t('key.dropped.why'))
    const agent = await storedAgent(this.#node.network.chainId!, wallet.address)
    if (this.#newest !== wallet) return // it has moved on, or was left
    this.agent = agent
    this.wallet = wallet
    this.#account.address = wallet.address
  }

  /** Disconnect: this browser forgets the wallet and its trading key, which the chain still knows until it expires. */
  async leave(): Promise<void> {
    sessionStorage.removeItem(REMEMBERED)
    localStorage.removeItem(INJECTED)
    const address = this.#newest?.address
    this.#release()
    if (address !== undefined) await forgetAgent(this.#node.network.chainId!, address)
  }

  /** The wallet was locked: nobody is here until its owner unlocks it. */
  #lock(wallet: Wallet): void {
    this.#release()
    this.#stop = wallet.onChange((unlocked) => {
      if (unlocked !== null) void this.use(unlocked)
    })
  }

  #release(): void {
    this.#stop()
    this.#stop = () => undefined
    this.#newest = null
    this.wallet = null
    this.agent = null
    this.#account.address = null
  }

  async #reloadAgent(): Promise<void> {
    const address = this.address
    const agent = address === null ? null : await storedAgent(this.#node.network.chainId!, address)
    if (this.address === address) this.agent = agent
  }

  async enableTrading(days: number): Promise<void> {
    const wallet = this.wallet!
    const { agent, key } = await newAgent(days, deviceName())
    await this.#approve(wallet, agent.address, approvedName(agent))
    await storeAgent(this.#node.network.chainId!, wallet.address, agent, key)
    if (this.address === wallet.address) this.agent = agent
  }

  /** The trading keys that the chain knows of this account, of all devices. Raises NodeError. */
  async agents(): Promise<NamedAgent[]> {
    return this.#node.http.info<NamedAgent[]>('extraAgents', { user: this.address! })
  }

  /** End the agency of that name: to approve the zero address is to approve nobody. */
  async revokeAgent(name: string): Promise<void> {
    const [wallet, agent] = [this.wallet!, this.agent]
    await this.#approve(wallet, NOBODY, name)
    if (agent?.name === name) await this.#forgetAgent(wallet.address, agent)
  }

  /** Trade with the agent's key: no wallet prompt. The chain refuses the action after `expiresAfter`, which is in its
   * own time (ms). Raises AnswerLost, which leaves open whether it was done; Error with the chain's refusal. */
  async trade(action: Packable, expiresAfter: number): Promise<ExchangeAnswer> {
    const { address, agent } = this
    if (!address || !agent) throw new Error(t('key.enableFirst'))
    const { actionHash, L1_ACTION, l1TypedData, sourceOf, splitSignature, transactionHash } = await signing()
    const nonce = this.#nonce()
    const data = l1TypedData(sourceOf(this.#node.network.chainId!), actionHash(action, nonce, null, expiresAfter))
    const signature = splitSignature(await agent.signTypedData(data))
    const hash = transactionHash(L1_ACTION, data, agent.address)
    const answer = await this.#sent({ action, nonce, signature, expiresAfter }, new AnswerLost(hash, expiresAfter))
    if (answer.status === 'err' && UNKNOWN_SIGNER.test(String(answer.response))) await this.#forgetAgent(address, agent)
    return accepted(answer)
  }

  /** Trade, and ask the chain for an answer that was lost. Raises NotKnown, Error with the chain's refusal. */
  act(action: Packable): Promise<ExchangeAnswer> {
    return this.#settled(this.trade(action, this.#node.network.chainNowMs() + EXPIRES_MS))
  }

  /** Sign with the wallet itself: transfers and approvals. `time` is the field that carries the nonce. Raises NotKnown,
   * Error with the chain's refusal. */
  sign(type: string, time: 'nonce' | 'time', fields: Record<string, string>): Promise<ExchangeAnswer> {
    return this.#sign(this.wallet!, type, time, fields)
  }

  async #sign(wallet: Wallet, type: string, time: 'nonce' | 'time', fields: Record<string, string>): Promise<ExchangeAnswer> {
    const { CHAIN_NAME, splitSignature, transactionHash, USER_ACTION, userTypedData } = await signing()
    const nonce = this.#nonce()
    const signatureChainId: Hex = `0x${this.#node.network.chainId!.toString(16)}`
    const action: UserAction = { type, hyperliquidChain: CHAIN_NAME, signatureChainId, ...fields, [time]: nonce }
    const data = userTypedData(action)
    const signature = splitSignature(await wallet.signTypedData(data))
    const lost = new AnswerLost(transactionHash(USER_ACTION, data, wallet.address), null)
    return this.#settled(this.#sent({ action, nonce, signature }, lost).then(accepted))
  }

  /** The account's key is of no use any more; one that came in its place stays. */
  async #forgetAgent(master: Hex, agent: Agent): Promise<void> {
    if (this.agent?.address === agent.address) this.agent = null
    const stored = await storedAgent(this.#node.network.chainId!, master)
    if (stored?.address === agent.address) await forgetAgent(this.#node.network.chainId!, master)
  }

  #approve(wallet: Wallet, agentAddress: Hex, agentName: string): Promise<ExchangeAnswer> {
    return this.#sign(wallet, 'approveAgent', 'nonce', { agentAddress, agentName })
  }

  async #sent(body: unknown, lost: AnswerLost): Promise<ExchangeAnswer> {
    try {
      return await this.#node.http.exchange(body)
    } catch (fault) {
      throw fault instanceof Unreachable ? lost : fault
    }
  }

  async #settled(answer: Promise<ExchangeAnswer>): Promise<ExchangeAnswer> {
    try {
      return await answer
    } catch (fault) {
      if (!(fault instanceof AnswerLost)) throw fault
      const done = this.#screen.standing('warn', t('ui.outcomeUnknown'), t('ui.answerLost'))
      return accepted(await answerOf(this.#node, fault).finally(done))
    }
  }

  /** Milliseconds, never the same twice. */
  #nonce(): number {
    this.#lastNonce = Math.max(Date.now(), this.#lastNonce + 1)
    return this.#lastNonce
  }
}

function accepted(answer: ExchangeAnswer): ExchangeAnswer {
  if (answer.status !== 'ok') throw new Error(typeof answer.response === 'string' ? answer.response : t('node.refused'))
  return answer
}
