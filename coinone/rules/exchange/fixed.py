"""Fixed-point helpers of mark and funding: exponential decay, rounding half to even, medians."""

from collections.abc import Sequence

from coinone.rules.exchange.ledger import Ema

ONE = 1 << 64
SCALE_BITS = 20  # sums keep so many bits below one

# floor(2^64 * exp(-1 / tau)) for tau in ms: the decay over one millisecond.
DECAY_150_S = 18446621095825653620
DECAY_30_S = 18446129192488505248


def decay(per_ms: int, elapsed_ms: int) -> int:
    """per_ms ^ elapsed_ms in units of 2^-64, by squaring, each step rounded down."""
    result, power = ONE, per_ms
    while elapsed_ms:
        if elapsed_ms & 1:
            result = result * power >> 64
        power = power * power >> 64
        elapsed_ms >>= 1
    return result


def updated(ema: Ema, sample: int, per_ms: int, elapsed_ms: int, weight_ms: int) -> Ema:
    """Hyperliquid's average: num = num * decay + sample * dt, den = den * decay + dt."""
    kept = decay(per_ms, elapsed_ms)
    weight = weight_ms << SCALE_BITS
    return Ema((ema.num * kept >> 64) + sample * weight, (ema.den * kept >> 64) + weight)


def value_of(ema: Ema) -> int | None:
    """The average, half to even; None before the first sample."""
    return round_half_even(ema.num, ema.den) if ema.den > 0 else None


def round_half_even(numerator: int, denominator: int) -> int:
    """The nearest integer to a ratio with a positive denominator; a tie goes to the even one."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient


def median(values: Sequence[int]) -> int:
    """The middle one of an odd number of values."""
    assert len(values) % 2 == 1, "a median of an even number is not defined here"
    return sorted(values)[len(values) // 2]
