"""Fixed-point helpers of mark and funding: exponential moving averages and rounding half to even."""

ONE = 1 << 64
SCALE_BITS = 20  # fractional bits of an average
QUOTE_SCALE = 1_000  # units per price unit of the quotes that mark and funding read

# floor(2^64 * exp(-1 / 150,000)) and of 30,000: the decay over one millisecond.
DECAY_150_S = 18446621095825653620
DECAY_30_S = 18446129192488505248


def decay(per_ms: int, elapsed_ms: int) -> int:
    """Return per_ms ^ elapsed_ms in units of 2^-64, by squaring, each step rounded down."""
    result, power = ONE, per_ms
    while elapsed_ms:
        if elapsed_ms & 1:
            result = result * power >> 64
        power = power * power >> 64
        elapsed_ms >>= 1
    return result


def blended(average: int, sample: int, per_ms: int, elapsed_ms: int) -> int:
    """The exponential moving average after `sample` held for `elapsed_ms`; rounded down."""
    kept = decay(per_ms, elapsed_ms)
    return average * kept + sample * (ONE - kept) >> 64


def round_half_even(numerator: int, denominator: int) -> int:
    """The nearest integer to a ratio with a positive denominator; a tie goes to the even one."""
    quotient, rest = divmod(numerator, denominator)
    if 2 * rest > denominator or (2 * rest == denominator and quotient % 2 == 1):
        return quotient + 1
    return quotient
