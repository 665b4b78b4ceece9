// Money between the exchange and the Ethereum side of the same chain, and the dev network's faucet.
//
// Deposit: an ERC-20 transfer to the quote token's system address. Withdrawal: a spotSend to that address, which the
// chain pays out as ERC-20 in a following batch.

import type { Hex } from 'viem'
import type { Account } from '../account/account.svelte.ts'
import { fromUnits, toUnits, wire } from '../core/numbers.ts'
import { pause } from '../core/pauses.ts'
import type { LedgerUpdate } from '../core/shapes.ts'
import { t } from '../i18n/locale.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import { isNoAnswer } from '../node/http.ts'
import { QUOTE_DECIMALS, QUOTE_SYSTEM_ADDRESS, QUOTE_TOKEN } from '../node/network.svelte.ts'
import { NotKnown } from '../node/outcomes.ts'
import type { Reports } from './reports.ts'
import type { Session } from './session.svelte.ts'

const PAUSES_MS = [400, 400, 800, 1500, 2500]
const WAIT_MS = 30_000
/** By so much the page may be wrong about the chain's time. */
const CLOCKS_APART_MS = 60_000
const SPOT_TOKEN = `USDC:${QUOTE_TOKEN}`

interface Receipt {
  status: Hex
  blockNumber: Hex
}

export interface Balances {
  gas: string
  quote: string
}

export class Transfers {
  readonly #node: NodeClient
  readonly #account: Account
  readonly #session: Session
  readonly #reports: Reports

  constructor(node: NodeClient, account: Account, session: Session, reports: Reports) {
    this.#node = node
    this.#account = account
    this.#session = session
    this.#reports = reports
  }

  deposit(amount: string): Promise<boolean> {
    return this.#reports.attempt(t('transfer.depositFailed'), async (tell) => {
      const wallet = this.#session.wallet! // it may move to another account before the deposit arrives
      const { transferCall } = await import('./calls.ts')
      const data = transferCall(QUOTE_SYSTEM_ADDRESS, toUnits(amount, QUOTE_DECIMALS))
      const sinceMs = this.#node.network.chainNowMs() - CLOCKS_APART_MS
      const hash = await wallet.send({ to: QUOTE_TOKEN, data })
      tell('plain', t('transfer.depositSent'), `${wire(amount)} USDC`, hash)
      const receipt = await found(() => this.#node.http.rpc<Receipt | null>('eth_getTransactionReceipt', [hash]), t('transfer.notInBlock'))
      if (receipt.status !== '0x1') throw new Error(t('transfer.tokenRefused'))
      const credit = await found(() => this.#creditOf(wallet.address, hash, sinceMs), t('transfer.notCredited'))
      if (credit.delta.unclaimed) tell('notice', t('transfer.depositWaits'), t('transfer.depositWaits.why', { amount: wire(amount), opening: t('ledger.opening') }), hash)
      else tell('good', t('transfer.depositArrived'), t('transfer.depositArrived.text', { amount: wire(amount) }), hash)
    })
  }

  /** What the exchange did with the tokens that `user` sent it by transaction `hash`, not before `startTime`; null before it has. */
  async #creditOf(user: Hex, hash: Hex, startTime: number): Promise<LedgerUpdate | null> {
    const isIt = (row: LedgerUpdate): boolean => row.hash === hash
    const told = this.#account.address === user ? this.#account.ledger.find(isIt) : undefined // by the stream, which asks for nothing
    return told ?? (await this.#node.http.info<LedgerUpdate[]>('userNonFundingLedgerUpdates', { user, startTime })).find(isIt) ?? null
  }

  withdraw(amount: string): Promise<boolean> {
    return this.#reports.attempt(t('transfer.withdrawFailed'), async (tell) => {
      await this.#session.sign('spotSend', 'time', { destination: QUOTE_SYSTEM_ADDRESS, token: SPOT_TOKEN, amount: wire(amount) })
      tell('good', t('transfer.withdrawSent'), t('transfer.withdrawSent.text', { amount: wire(amount) }))
    })
  }

  faucet(): Promise<boolean> {
    return this.#reports.attempt(t('transfer.faucetFailed'), async (tell) => {
      await this.#node.http.rpc('coinone_faucet', [this.#session.address])
      await this.#account.load().catch(() => undefined) // the stream tells it too
      tell('good', t('app.faucet'), t('transfer.faucetGave'))
    })
  }

  async balances(owner: Hex): Promise<Balances> {
    const { balanceCall } = await import('./calls.ts')
    const data = balanceCall(owner)
    const [gas, quote] = await Promise.all([
      this.#node.http.rpc<Hex>('eth_getBalance', [owner, 'latest']),
      this.#node.http.rpc<Hex>('eth_call', [{ to: QUOTE_TOKEN, data }, 'latest']),
    ])
    return { gas: fromUnits(BigInt(gas), 18), quote: fromUnits(quote === '0x' ? 0n : BigInt(quote), QUOTE_DECIMALS) }
  }
}

/** Ask until there is something, also of a node that is away, or gives no more answers, for a while. Raises NotKnown with
 * `otherwise`: that a question fails is no sign that what was sent has. */
async function found<T>(ask: () => Promise<T | null>, otherwise: string): Promise<T> {
  const deadline = Date.now() + WAIT_MS
  for (let asked = 0; Date.now() < deadline; asked += 1) {
    const thing = await ask().catch((fault) => {
      if (isNoAnswer(fault)) return null
      throw new NotKnown(otherwise)
    })
    if (thing !== null) return thing
    await pause(PAUSES_MS, asked)
  }
  throw new NotKnown(otherwise)
}
