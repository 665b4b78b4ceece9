// What became of a command, said in a toast: also of which account it was, once another one is shown.

import { short } from '../core/short.ts'
import { t } from '../i18n/locale.svelte.ts'
import { inWords } from '../node/errors.ts'
import { AskedTooMuch, Unreachable } from '../node/http.ts'
import { NotKnown } from '../node/outcomes.ts'
import type { Screen, Tone } from '../ui/screen.svelte.ts'
import type { Session } from './session.svelte.ts'

export type Tell = (tone: Tone, title: string, text?: string, hash?: string | null) => void

/** A failure that has been shown already. */
export class Reported extends Error {}

export class Reports {
  readonly #session: Session
  readonly #screen: Screen

  constructor(session: Session, screen: Screen) {
    this.#session = session
    this.#screen = screen
  }

  /** Tells of the account that is shown now. */
  teller(): Tell {
    const user = this.#session.address
    return (tone, title, text = '', hash = null) => {
      if (user === null || user === this.#session.address) return this.#screen.toast(tone, title, text, hash)
      const whose = t('account.otherAccount', { address: short(user) })
      this.#screen.toast(tone === 'good' || tone === 'plain' ? 'notice' : tone, title, `${whose} ${text}`.trim(), hash)
    }
  }

  /** Run a command of the account that is shown; a failure becomes a toast. Resolves true when it succeeded. */
  async attempt(title: string, command: (tell: Tell) => Promise<void>): Promise<boolean> {
    const tell = this.teller()
    try {
      await command(tell)
      return true
    } catch (fault) {
      if (fault instanceof NotKnown) tell('warn', t('ui.outcomeUnknown'), fault.message)
      else if (fault instanceof Unreachable) tell('warn', t('account.noAnswer'), t('account.doneUnknown', { said: fault.message }))
      else if (fault instanceof AskedTooMuch) tell('bad', title, t('account.nothingDone', { said: inWords('too many requests') }))
      else if (!(fault instanceof Reported)) tell('bad', title, inWords(fault))
      return false
    }
  }
}
