// What an account holds, asked of the node while a dialog is about to end it. The stream may lag behind: an
// order that was placed a moment ago is not missing here, and nothing is believed to be there no longer.

import type { ClearinghouseState, OpenOrder } from '../core/shapes.ts'
import type { NodeClient } from '../node/client.ts'
import { poll } from '../node/poll.ts'
import type { Account, Position } from './account.svelte.ts'

const REFRESH_MS = 30_000

/** Made with a dialog, which is made anew with the account, and asking as long as it is open. */
export class Holdings {
  /** Whether the node answered when it was asked last. */
  isAnswered = $state(true)
  #told = $state.raw<{ summary: ClearinghouseState; orders: OpenOrder[] } | null>(null)
  readonly #user: string | null
  readonly #node: NodeClient
  readonly #account: Account
  #asked = 0
  #answered = 0

  constructor(node: NodeClient, account: Account) {
    this.#node = node
    this.#account = account
    this.#user = account.address
    $effect(() => {
      if (!account.isCurrent) this.#told = null // the line broke or is late: so is what was told before
      return poll(() => this.#load(), REFRESH_MS)
    })
  }

  /** Until the node has answered, what the stream told: it may miss something, and that something is there is enough to begin. */
  get orders(): readonly OpenOrder[] {
    return this.#told?.orders ?? this.#account.orders
  }

  get positions(): readonly Position[] {
    return this.#told ? this.#account.positionsOf(this.#told.summary) : this.#account.positions
  }

  get areOrdersKnown(): boolean {
    return this.#told !== null || (this.#account.isCurrent && this.#account.orders.length > 0)
  }

  get areKnown(): boolean {
    return this.areOrdersKnown || (this.#account.isCurrent && this.#account.positions.length > 0)
  }

  /** Ask what there is now; whether the node answered. */
  ask(): Promise<boolean> {
    return this.#load().then(() => true, () => false)
  }

  async #load(): Promise<void> {
    const [user, turn] = [this.#user, ++this.#asked]
    if (user === null || this.#account.address !== user) return // the wallet has moved, or was locked
    const { http } = this.#node
    try {
      const [summary, orders] = await Promise.all([http.info<ClearinghouseState>('clearinghouseState', { user }), http.info<OpenOrder[]>('openOrders', { user })])
      if (turn < this.#answered || this.#account.address !== user) return
      this.#answered = turn
      this.#told = { summary, orders }
      this.isAnswered = true
    } catch (fault) {
      this.isAnswered = false
      throw fault
    }
  }
}
