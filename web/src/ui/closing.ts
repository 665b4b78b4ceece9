// Commands of a dialog end when it may be gone already: closed, or made anew as the wallet moved to another account.

import { onDestroy } from 'svelte'
import { getScreen } from './screen.svelte.ts'

/** Asked for while a dialog is made: what closes this very dialog, and never one that came after it. */
export function closing(): () => void {
  const screen = getScreen()
  let isHere = true
  onDestroy(() => (isHere = false))
  return () => {
    if (isHere) screen.dialog = null
  }
}
