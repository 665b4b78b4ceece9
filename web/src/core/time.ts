// Times for the eye, in the trader's own zone.

const clockFormat = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const dayFormat = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })

export const clock = (ms: number): string => clockFormat.format(ms)
export const dayAndClock = (ms: number): string => `${dayFormat.format(ms)} ${clockFormat.format(ms)}`

const two = (n: number): string => String(Math.floor(n)).padStart(2, '0')

/** Time left until the next full hour, when funding is paid. */
export function untilNextHour(nowMs: number): string {
  const left = 3600 - (Math.floor(nowMs / 1000) % 3600)
  return `${two(left / 3600)}:${two((left % 3600) / 60)}:${two(left % 60)}`
}

export function age(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000))
  if (s < 60) return `${s} s`
  if (s < 3600) return `${Math.floor(s / 60)} min`
  if (s < 86_400) return `${Math.floor(s / 3600)} h`
  return `${Math.floor(s / 86_400)} d`
}
