// The language of the page, and how numbers and times are written in it.
//
// A document has one language, so this is the one state that modules share without being handed it. What the shell and the
// trading page say has a file a language: English is always there, the others are loaded when they are chosen. A room that
// is loaded later has its words in all languages beside its code, in a `strings.ts`. Numbers have commas between thousands and a point before decimals in
// all of them, which is how core/typed.ts reads what people type: what is shown can be typed.

import { en } from './en.ts'

export type Key = keyof typeof en
export type Messages = Record<Key, string>
/** A message of which there is one form for one thing and another for more. */
export type CountedKey = Key extends infer K ? (K extends `${infer Stem}.other` ? Stem : never) : never
export type Values = Record<string, string | number>

interface Language {
  /** Its own name for itself. */
  name: string
  /** As the document's `lang` has it, and as Intl takes it for words and compact numbers. */
  tag: string
  /** For times: a day of 24 hours. */
  clock: string
  load: () => Promise<Messages>
}

export const LANGUAGES = {
  en: { name: 'English', tag: 'en', clock: 'en-GB', load: () => Promise.resolve(en) },
  zh: { name: '中文', tag: 'zh-CN', clock: 'zh-CN', load: () => import('./zh.ts').then(({ zh }) => zh) },
  ja: { name: '日本語', tag: 'ja', clock: 'ja', load: () => import('./ja.ts').then(({ ja }) => ja) },
  ko: { name: '한국어', tag: 'ko', clock: 'ko', load: () => import('./ko.ts').then(({ ko }) => ko) },
} satisfies Record<string, Language>

export type Locale = keyof typeof LANGUAGES

/** A text in every language, where it is used. */
export type Text = Record<Locale, string>

const REMEMBERED = 'coinone.language'

let current = $state.raw<{ locale: Locale; messages: Messages }>({ locale: 'en', messages: en })

const isLocale = (text: string | null | undefined): text is Locale => text !== null && text !== undefined && Object.hasOwn(LANGUAGES, text)

const filled = (text: string, values: Values): string => text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole))

/** The message in the page's language, with its {names} filled in. */
export function t(key: Key, values: Values = {}): string {
  return filled(current.messages[key], values)
}

/** The text in the page's language. */
export const say = (text: Text, values: Values = {}): string => filled(text[current.locale], values)

/** `t` for a room with words of its own: it takes their names, and those of the messages that all share. */
export function withOwn<Name extends string>(words: Record<Name, Text>): (key: Name | Key, values?: Values) => string {
  return (key, values) => (Object.hasOwn(words, key) ? say(words[key as Name], values) : t(key as Key, values))
}

/** The message for `n` things. */
export function tn(key: CountedKey, n: number, values: Values = {}): string {
  const form = new Intl.PluralRules(language().tag).select(n) === 'one' ? 'one' : 'other'
  return t(`${key}.${form}` as Key, { n, ...values })
}

export const locale = (): Locale => current.locale

export const language = (): Language => LANGUAGES[current.locale]

/** Show the page in that language from now on; in the one before where it cannot be loaded. */
export async function speak(chosen: Locale): Promise<void> {
  const messages = await LANGUAGES[chosen].load()
  current = { locale: chosen, messages }
  document.documentElement.lang = LANGUAGES[chosen].tag
}

export async function choose(chosen: Locale): Promise<void> {
  await speak(chosen)
  localStorage.setItem(REMEMBERED, chosen)
}

/** The language that was chosen in this browser, else the first that its owner reads of those there are. */
export function preferred(): Locale {
  const chosen = localStorage.getItem(REMEMBERED)
  if (isLocale(chosen)) return chosen
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isLocale) ?? 'en'
}
