// The keys of a radio group, as ARIA's pattern has them: one tab stop, the chosen one's; arrows choose the next or the one
// before, round the ends.

const STEPS: Record<string, number> = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }

/** For an element that holds the radios; each has tabindex 0 if it is chosen, else -1. */
export function radios(group: HTMLElement): { destroy(): void } {
  const move = (event: KeyboardEvent): void => {
    const step = STEPS[event.key]
    const all = [...group.querySelectorAll<HTMLElement>('[role=radio]')]
    const at = all.indexOf(event.target as HTMLElement)
    if (step === undefined || at < 0 || event.ctrlKey || event.metaKey || event.altKey) return
    event.preventDefault()
    const next = all[(at + step + all.length) % all.length]!
    next.click()
    next.focus()
  }
  group.addEventListener('keydown', move)
  return { destroy: () => group.removeEventListener('keydown', move) }
}
