// Times for the eye, in the trader's own zone.

import { language, t } from '../i18n/locale.svelte.ts'

const formats = new Map<string, { clock: Intl.DateTimeFormat; day: Intl.DateTimeFormat }>()

function inLanguage(): { clock: Intl.DateTimeFormat; day: Intl.DateTimeFormat } {
  const { clock: tag } = language()
  let found = formats.get(tag)
  if (!found) {
    const clock = new Intl.DateTimeFormat(tag, { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' })
    found = { clock, day: new Intl.DateTimeFormat(tag, { day: '2-digit', month: 'short' }) }
    formats.set(tag, found)
  }
  return found
}

export const clock = (ms: number): string => inLanguage().clock.format(ms)
export const dayAndClock = (ms: number): string => `${inLanguage().day.format(ms)} ${clock(ms)}`

const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')

/** Time left until the next full hour, when funding is paid. */
export function untilNextHour(nowMs: number): string {
  const left = 3600 - (Math.floor(nowMs / 1000) % 3600)
  return `${two(left / 3600)}:${two((left % 3600) / 60)}:${two(left % 60)}`
}

export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return t('ui.seconds', { n: s })
  if (s < 3600) return t('ui.minutes', { n: Math.floor(s / 60) })
  if (s < 86_400) return t('ui.hours', { n: Math.floor(s / 3600) })
  return t('ui.days', { n: Math.floor(s / 86_400) })
}
