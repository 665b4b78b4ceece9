// Who is at the screen: the account, the wallet and the trading key that act for it, and what they do with its money.

import { createContext } from 'svelte'
import type { Listing } from '../market/listing.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import { Account } from './account.svelte.ts'
import { Reports } from './reports.ts'
import { Session } from './session.svelte.ts'
import { Transfers } from './transfers.ts'

export class Trader {
  readonly account: Account
  readonly session: Session
  readonly reports: Reports
  readonly transfers: Transfers

  constructor(node: NodeClient, listing: Listing, screen: Screen) {
    this.account = new Account(node, listing)
    this.session = new Session(node, this.account, screen)
    this.reports = new Reports(this.session, screen)
    this.transfers = new Transfers(node, this.account, this.session, this.reports)
  }
}

export const [getTrader, setTrader] = createContext<Trader>()
