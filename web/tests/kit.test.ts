// @vitest-environment happy-dom
import assert from 'node:assert/strict'
import { createRawSnippet, flushSync, mount, unmount, type Component } from 'svelte'
import { afterEach, test } from 'vitest'
import Button from '../src/ui/Button.svelte'
import Field from '../src/ui/Field.svelte'
import Segments from '../src/ui/Segments.svelte'
import Slider from '../src/ui/Slider.svelte'
import Table from '../src/ui/Table.svelte'
import Tabs from '../src/ui/Tabs.svelte'

let stop: () => void = () => undefined
afterEach(() => stop())

function shown<Props extends Record<string, unknown>>(component: Component<Props>, props: Props): void {
  const made = mount(component, { target: document.body, props })
  flushSync()
  stop = () => void unmount(made)
}
const all = (role: string): HTMLElement[] => [...document.querySelectorAll<HTMLElement>(`[role=${role}]`)]
const press = (element: HTMLElement, key: string): void => void element.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))

test('segments are a radio group of one tab stop, in which arrows choose round the ends', () => {
  const chosen: string[] = []
  const options = ['Gtc', 'Ioc', 'Alo'].map((value) => ({ value, name: value }))
  shown(Segments, { label: 'Time in force', options, value: 'Alo', choose: (value: string) => void chosen.push(value) })
  assert.deepEqual(all('radio').map(({ tabIndex }) => tabIndex), [-1, -1, 0])
  assert.deepEqual(all('radio').map((radio) => radio.getAttribute('aria-checked')), ['false', 'false', 'true'])
  press(all('radio')[2]!, 'ArrowRight')
  press(all('radio')[2]!, 'ArrowLeft')
  assert.deepEqual(chosen, ['Gtc', 'Ioc'])
})

test('tabs say which panel they control, and arrows choose round the ends', () => {
  const chosen: string[] = []
  const tabs = [{ id: 'a', name: 'A', count: 2 }, { id: 'b', name: 'B' }]
  shown(Tabs, { label: 'Tables', tabs, chosen: 'a', choose: (id: string) => void chosen.push(id), panel: 'table' })
  assert.deepEqual(all('tab').map((tab) => [tab.id, tab.getAttribute('aria-controls'), tab.tabIndex]), [['table-a', 'table', 0], ['table-b', 'table', -1]])
  assert.equal(all('tab')[0]!.textContent?.trim(), 'A2')
  press(all('tab')[0]!, 'ArrowLeft')
  all('tab')[0]!.click()
  assert.deepEqual(chosen, ['b', 'a'])
})

test('a field tells the very text that is typed', () => {
  const typed: string[] = []
  shown(Field, { id: 'px', name: 'Price', value: '1', type: (text: string) => void typed.push(text) })
  const input = document.querySelector<HTMLInputElement>('#px')!
  input.value = '1,234.50'
  input.dispatchEvent(new Event('input', { bubbles: true }))
  assert.deepEqual(typed, ['1,234.50'])
  assert.match(input.closest('label')!.textContent!, /Price/)
})

test('a slider’s marks choose their share', () => {
  const chosen: number[] = []
  shown(Slider, { label: 'Share', value: 0, buy: true, change: (percent: number) => void chosen.push(percent) })
  const marks = [...document.querySelectorAll('button')]
  assert.deepEqual(marks.map((mark) => mark.textContent), ['0%', '25%', '50%', '75%', '100%'])
  marks[3]!.click()
  assert.deepEqual(chosen, [75])
})

const words = (text: string) => createRawSnippet(() => ({ render: () => `<span>${text}</span>` }))

test('a button sends no form unless it is told to, and with an address it is a link', () => {
  shown(Button, { tone: 'buy', size: 'small', class: 'own', children: words('Buy') })
  const button = document.querySelector('button')!
  assert.deepEqual([button.type, ['button', 'buy', 'small', 'own'].every((name) => button.classList.contains(name)), button.textContent], ['button', true, 'Buy'])
  stop()
  shown(Button, { type: 'submit', disabled: true, children: words('Send') })
  assert.deepEqual([document.querySelector('button')!.type, document.querySelector('button')!.disabled], ['submit', true])
  stop()
  shown(Button, { href: '#/kit', children: words('Kit') })
  assert.deepEqual([document.querySelector('button'), document.querySelector('a')!.getAttribute('href'), document.querySelector('a')!.hasAttribute('type')], [null, '#/kit', false])
})

interface Held {
  coin: string
  pnl: number
}
const columns = [
  { name: 'Market', text: ({ coin }: Held) => coin },
  { name: 'PnL', tone: ({ pnl }: Held) => (pnl > 0 ? 'up' : 'down'), text: ({ pnl }: Held) => pnl },
  { name: 'Close', cell: words('Close') },
]
const table = Table as unknown as Component<Record<string, unknown>>
const texts = (where: string): (string | undefined)[] => [...document.querySelectorAll(where)].map((each) => each.textContent?.trim())

test('a table has a heading and a cell for each column, and names the column in the cell', () => {
  const rows: Held[] = [{ coin: 'BTC', pnl: 2 }, { coin: 'ETH', pnl: -1 }]
  shown(table, { columns, rows, name: ({ coin }: Held) => coin, isMarked: ({ coin }: Held) => coin === 'ETH', all: words('Close all') })
  assert.deepEqual(texts('th'), ['Market', 'PnL', 'Close all'])
  assert.deepEqual(texts('td'), ['BTC', '2', 'Close', 'ETH', '-1', 'Close'])
  const cells = [...document.querySelectorAll<HTMLElement>('td')]
  assert.deepEqual(cells.slice(0, 3).map((cell) => cell.dataset.label), ['Market', 'PnL', 'Close'])
  assert.deepEqual([cells[1]!.classList.contains('up'), cells[4]!.classList.contains('down')], [true, true])
  assert.deepEqual([...document.querySelectorAll('tbody tr')].map((row) => row.classList.contains('marked')), [false, true])
})

test('a table without rows says so, or nothing', () => {
  shown(table, { columns, rows: [], name: ({ coin }: Held) => coin, empty: 'No positions.' })
  assert.deepEqual([document.querySelector('table'), document.body.textContent?.trim()], [null, 'No positions.'])
  stop()
  shown(table, { columns, rows: [], name: ({ coin }: Held) => coin })
  assert.equal(document.body.textContent?.trim(), '')
})
