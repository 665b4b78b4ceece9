// What the account that is shown holds, asked of the node while a dialog is about to end it. The stream may lag behind: an
// order that was placed a moment ago is not missing here, and nothing is believed to be there no longer.

import { info } from '../node/http.ts'
import { poll } from '../node/poll.ts'
import type { ClearinghouseState, OpenOrder } from '../core/shapes.ts'
import { account, positionsOf, type Position } from './account.svelte.ts'

const REFRESH_MS = 30_000

/** Made with a dialog, which is made anew with the account, and asking as long as it is open. */
export class Holdings {
  /** Whether the node answered when it was asked last. */
  isAnswered = $state(true)
  #told = $state.raw<{ summary: ClearinghouseState; orders: OpenOrder[] } | null>(null)
  readonly #user = account.address
  #asked = 0
  #answered = 0

  constructor() {
    $effect(() => {
      if (!account.isCurrent) this.#told = null // the line broke or is late: so is what was told before
      return poll(() => this.#load(), REFRESH_MS)
    })
  }

  /** Until the node has answered, what the stream told: it may miss something, and that something is there is enough to begin. */
  get orders(): readonly OpenOrder[] {
    return this.#told?.orders ?? account.orders
  }

  get positions(): readonly Position[] {
    return this.#told ? positionsOf(this.#told.summary) : account.positions
  }

  get areOrdersKnown(): boolean {
    return this.#told !== null || (account.isCurrent && account.orders.length > 0)
  }

  get areKnown(): boolean {
    return this.areOrdersKnown || (account.isCurrent && account.positions.length > 0)
  }

  /** Ask what there is now; whether the node answered. */
  ask(): Promise<boolean> {
    return this.#load().then(() => true, () => false)
  }

  async #load(): Promise<void> {
    const [user, turn] = [this.#user, ++this.#asked]
    if (user === null || account.address !== user) return // the wallet has moved, or was locked
    try {
      const [summary, orders] = await Promise.all([info<ClearinghouseState>('clearinghouseState', { user }), info<OpenOrder[]>('openOrders', { user })])
      if (turn < this.#answered || account.address !== user) return
      this.#answered = turn
      this.#told = { summary, orders }
      this.isAnswered = true
    } catch (fault) {
      this.isAnswered = false
      throw fault
    }
  }
}
