"""Windows that roll over long series: sums without cancellation, correlations, lead and lag.

A difference of cumulative sums loses what the sums have in common, which is nearly all of it where a series has a
large offset. Here a window's sum is made of sums alone: of the tail of one block and the head of the next.
"""

import numpy as np

from pairwatch.model import NAN, Floats

# So many values are worked on at a time: what they need stays in the processor's cache.
_AT_ONCE = 1 << 14


def rolling_correlation(a: Floats, b: Floats, window: int) -> Floats:
    """Pearson's r over each `window` values in a row; shape (n - window + 1,), NaN where one side does not move.

    Each window is centred at a value that lies in it, so that its second moments lose at most a factor of about twice
    its length, whatever the series' offset and whatever stands outside the window.
    """
    n = len(a) - window + 1
    found = np.empty(max(n, 0))
    rows = max(1, _AT_ONCE // window)
    for start in range(0, max(n, 0), rows * window):
        stop = min(n, start + rows * window)
        found[start:stop] = _correlations(a[start : stop + window - 1], b[start : stop + window - 1], window)
    return found


def _blocks(values: Floats, window: int) -> tuple[Floats, Floats]:
    """The block in which windows begin, and the one in which they end, each centred at the last value of the first."""
    count = -(-(len(values) - window + 1) // window)
    padded = np.empty((count + 1) * window)
    padded[: len(values)] = values
    padded[len(values) :] = values[-1]
    blocks = padded.reshape(count + 1, window)
    centre = blocks[:-1, -1:]
    return blocks[:-1] - centre, blocks[1:] - centre


def _window_sums(first: Floats, second: Floats) -> Floats:
    """The sums over every window that begins in `first`: its tail and the head of `second`; shape of `first`."""
    found = np.empty_like(first)
    np.cumsum(first[:, ::-1], axis=1, out=found[:, ::-1])
    found[:, 1:] += np.cumsum(second[:, :-1], axis=1)
    return found


def _correlations(a: Floats, b: Floats, window: int) -> Floats:
    a1, a2 = _blocks(a, window)
    b1, b2 = _blocks(b, window)
    sum_a, sum_b = _window_sums(a1, a2), _window_sums(b1, b2)
    ab = _window_sums(a1 * b1, a2 * b2)
    aa = _window_sums(a1 * a1, a2 * a2)
    bb = _window_sums(b1 * b1, b2 * b2)
    ab -= sum_a * sum_b / window
    aa -= sum_a * sum_a / window
    bb -= sum_b * sum_b / window
    flat = (aa <= 0) | (bb <= 0)
    aa *= bb
    np.sqrt(aa, out=aa, where=~flat)
    aa[flat] = NAN
    ab /= aa
    return np.clip(ab.ravel()[: len(a) - window + 1], -1, 1)


def window_sums(values: Floats, window: int) -> Floats:
    """The sum over each `window` values in a row; shape (n - window + 1,).

    By doubling: windows of 1, 2, 4, .. values are sums of two of half the length, and `window` is put together of them.
    """
    total = np.zeros(len(values))
    done, part, size = 0, values, 1
    while size <= window:
        if window & size:
            piece = part[done:]
            total = total[: len(piece)] + piece[: len(total)]
            done += size
        part = part[:-size] + part[size:]
        size *= 2
    return total[: len(values) - window + 1]


def rolling_lead_lag(a: Floats, b: Floats, window: int, max_lag: int) -> Floats:
    """r(k) = corr(a[t], b[t+k]) over `window` values in a row, for k = -L..L; shape (2 L + 1, n - window + 1).

    Column i holds the windows of a and of b that begin at i and at i + k; NaN where b has none, or one does not move.
    Meant for returns: a block of them is centred as a whole.
    """
    n = max(len(a) - window + 1, 0)
    found = np.full((2 * max_lag + 1, n), NAN)
    for start in range(0, n, _AT_ONCE):
        stop = min(n, start + _AT_ONCE)
        low = max(0, start - max_lag)
        ours = _Windows(a[start : stop + window - 1], window, start)
        theirs = _Windows(b[low : stop + window - 1 + max_lag], window, low)
        for k in range(-max_lag, max_lag + 1):
            first, last = max(start, low - k), min(stop, len(b) - window + 1 - k)
            if first < last:
                found[k + max_lag, first:last] = _correlated(ours, theirs, k, first, last)
    return found


class _Windows:
    """The windows of a block of values: their sums, and one over the root of their squared deviations."""

    def __init__(self, values: Floats, window: int, begin: int) -> None:
        self.window, self.begin = window, begin
        self.values = values - values.mean()
        self.sums = window_sums(self.values, window)
        squares = window_sums(self.values * self.values, window) - self.sums * self.sums / window
        flat = squares <= 0
        self.inverse = 1 / np.sqrt(np.where(flat, 1.0, squares))
        self.inverse[flat] = NAN


def _correlated(a: _Windows, b: _Windows, lag: int, first: int, last: int) -> Floats:
    """The correlations of the windows of a that begin from `first` to before `last` with those of b, `lag` later."""
    i, j, n = first - a.begin, first + lag - b.begin, last - first
    values = n + a.window - 1
    found = window_sums(a.values[i : i + values] * b.values[j : j + values], a.window)
    found -= a.sums[i : i + n] * b.sums[j : j + n] / a.window
    found *= a.inverse[i : i + n]
    found *= b.inverse[j : j + n]
    return np.clip(found, -1, 1, out=found)
