import assert from 'node:assert/strict'
import { test } from 'vitest'
import { Pulse } from '../src/node/pulse.ts'

test('a line that falls silent is asked after 2.5 s, late 5 s later and dead after 5 s more', () => {
  const pulse = new Pulse(0)
  pulse.heard(1000)
  assert.equal(pulse.judge(3499), 'fine')
  assert.equal(pulse.judge(3500), 'ask')
  pulse.asked(3500)
  assert.equal(pulse.judge(8499), 'fine')
  assert.equal(pulse.judge(8500), 'late')
  assert.equal(pulse.judge(13_499), 'late')
  assert.equal(pulse.judge(13_500), 'dead')
})

test('an answer tells the round trip, and the line is asked again once it is quiet or 15 s have passed', () => {
  const pulse = new Pulse(0)
  pulse.asked(0)
  pulse.heard(40)
  assert.equal(pulse.answered(40), 40)
  for (let now = 1000; now < 15_000; now += 1000) {
    pulse.heard(now)
    assert.equal(pulse.judge(now), 'fine')
  }
  pulse.heard(15_000)
  assert.equal(pulse.judge(15_000), 'ask')
})

test('an answer that waits behind other messages makes a line slow, and not dead', () => {
  const pulse = new Pulse(0)
  pulse.asked(0)
  for (let now = 1000; now <= 60_000; now += 1000) {
    pulse.heard(now)
    assert.equal(pulse.judge(now), 'fine')
    assert.equal(pulse.isSlow(now), now >= 5000)
  }
})
