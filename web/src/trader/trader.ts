// Who is at the screen: the account, the wallet and the trading key that act for it, and what they do with its money.

import { createContext } from 'svelte'
import type { Account } from '../account/account.svelte.ts'
import type { NodeClient } from '../node/client.ts'
import type { Screen } from '../ui/screen.svelte.ts'
import { Reports } from './reports.ts'
import { Session } from './session.svelte.ts'
import { Transfers } from './transfers.ts'

export class Trader {
  readonly account: Account
  readonly session: Session
  readonly reports: Reports
  readonly transfers: Transfers

  constructor(node: NodeClient, account: Account, screen: Screen) {
    this.account = account
    this.session = new Session(node, account, screen)
    this.reports = new Reports(this.session, screen)
    this.transfers = new Transfers(node, account, this.session, this.reports)
  }
}

export const [getTrader, setTrader] = createContext<Trader>()
