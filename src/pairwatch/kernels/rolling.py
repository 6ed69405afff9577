"""Windows that roll over long series: sums without cancellation, correlations, lead and lag.

A difference of cumulative sums loses what the sums have in common, which is nearly all of it where a series has a
large offset. Here a window's sum is made of sums alone: of the tail of one block and the head of the next.
"""

from functools import lru_cache

import numpy as np

from pairwatch.model import NAN, Floats

# So many values are worked on at a time: what they need stays in the processor's cache.
_AT_ONCE = 1 << 14
# And of lead and lag, where a step is one call for so many.
_LAGS_AT_ONCE = 1 << 16
# What varies by less than this part of its squares does not move: it is what rounding leaves of them.
FLAT = 1e-13


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


def window_blocks(values: Floats, window: int) -> tuple[Floats, Floats]:
    """The block in which windows begin, and the one in which they end, each centred at the last value of the first."""
    count = -(-(len(values) - window + 1) // window)
    padded = np.empty((count + 1) * window)
    padded[: len(values)] = values
    padded[len(values) :] = values[-1]
    blocks = padded.reshape(count + 1, window)
    centre = blocks[:-1, -1:]
    return blocks[:-1] - centre, blocks[1:] - centre


def sums_over_blocks(first: Floats, second: Floats) -> Floats:
    """The sums over every window that begins in `first`: its tail and the head of `second`; shape of `first`."""
    found = np.empty_like(first)
    np.cumsum(first[:, ::-1], axis=1, out=found[:, ::-1])
    found[:, 1:] += np.cumsum(second[:, :-1], axis=1)
    return found


def _correlations(a: Floats, b: Floats, window: int) -> Floats:
    a1, a2 = window_blocks(a, window)
    b1, b2 = window_blocks(b, window)
    sum_a, sum_b = sums_over_blocks(a1, a2), sums_over_blocks(b1, b2)
    ab = sums_over_blocks(a1 * b1, a2 * b2)
    aa = sums_over_blocks(a1 * a1, a2 * a2)
    bb = sums_over_blocks(b1 * b1, b2 * b2)
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
    """The sum over each `window` values in a row; shape (n - window + 1,)."""
    if window > len(values):
        return np.empty(0)
    adder = _Adder(len(values), window)
    np.copyto(adder.room(len(values)), values)
    return adder.sums(len(values))


@lru_cache(maxsize=64)
def _steps(window: int) -> tuple[int, ...]:
    """How sums over one value become sums over `window` in few additions: twice as many values, thrice, one more."""
    if window == 1:
        return ()
    ways = [(*_steps(window // times), times) for times in (2, 3) if window % times == 0]
    if window % 2 or not ways:
        ways.append((*_steps(window - 1), 1))
    return min(ways, key=lambda steps: sum(2 if step == 3 else 1 for step in steps))


class _Adder:
    """Sums over windows, each of sums over shorter ones, in three buffers that are used again and again.

    No step writes where it reads at another place, which would make numpy copy.
    """

    def __init__(self, most: int, window: int) -> None:
        # Half a page apart: a load is held up by a store to the same place of another page.
        self._buffers = np.empty((3, (most // 512 + 1) * 512 + 256))
        self.window = window

    def room(self, n: int) -> Floats:
        """Where the n values go whose sums are wanted."""
        return self._buffers[0, :n]

    def sums(self, n: int) -> Floats:
        """The sums of what is in `room(n)`; they stay until it is used again."""
        total, size, at = self._buffers[0, :n], 1, 0
        for step in _steps(self.window):
            longer = size * step if step > 1 else size + 1
            kept = n - longer + 1
            if step == 1:
                total = np.add(total[:kept], self._buffers[0, size:n], out=total[:kept])
            else:
                at = 2 if at == 1 else 1
                pair = np.add(total[:-size], total[size:], out=self._buffers[at, : len(total) - size])
                total = pair if step == 2 else np.add(pair[:kept], total[2 * size :], out=pair[:kept])
            size = longer
        return total


def rolling_lead_lag(a: Floats, b: Floats, window: int, max_lag: int) -> Floats:
    """r(k) = corr(a[t], b[t+k]) over `window` values in a row, for k = -L..L; shape (2 L + 1, n - window + 1).

    Column i holds the windows of a and of b that begin at i and at i + k; NaN where b has none, where one does not
    move, and where one holds a NaN. Meant for returns: a block of them is centred as a whole. No command prints it: it
    is for those who work with arrays in Python.
    """
    n = max(len(a) - window + 1, 0)
    found = np.empty((2 * max_lag + 1, n))
    at_once = max(_LAGS_AT_ONCE, 2 * window)
    adder, spare = _Adder(at_once + window - 1, window), np.empty(at_once)
    for start in range(0, n, at_once):
        stop = min(n, start + at_once)
        low = max(0, start - max_lag)
        ours = _Windows(a[start : stop + window - 1], window, start)
        theirs = _Windows(b[low : stop + window - 1 + max_lag], window, low)
        for k, row in enumerate(found, -max_lag):
            first = min(max(start, low - k), stop)
            last = max(min(stop, len(b) - window + 1 - k), first)
            row[start:first] = row[last:stop] = NAN
            if first < last:
                _correlated(ours, theirs, first, first + k, adder, spare[: last - first], row[first:last])
    return found


def _mean(values: Floats) -> float:
    """Of those that are numbers; 0 where none is."""
    total = float(values.sum())
    known = values if np.isfinite(total) else values[np.isfinite(values)]
    return float(known.mean()) if len(known) else 0.0


class _Windows:
    """The windows of a block of values: one over the root of their squared deviations, and their sums times that."""

    def __init__(self, values: Floats, window: int, begin: int) -> None:
        self.begin = begin
        self.values = values - _mean(values)
        sums = window_sums(self.values, window)
        raw = window_sums(self.values * self.values, window)
        squares = raw - sums * sums / window
        flat = squares <= FLAT * raw
        self.inverse = 1 / np.sqrt(np.where(flat, 1.0, squares))
        self.inverse[flat] = NAN
        self.scaled = sums * self.inverse / np.sqrt(window)


def _correlated(  # noqa: PLR0913, PLR0917 - two blocks, two places, two buffers, and where it goes
    a: _Windows, b: _Windows, first: int, other: int, adder: _Adder, spare: Floats, found: Floats
) -> None:
    """Put into `found` the correlations of the windows of a that begin from `first` on with those of b from `other`."""
    i, j, n = first - a.begin, other - b.begin, len(found)
    values = n + adder.window - 1
    np.multiply(a.values[i : i + values], b.values[j : j + values], out=adder.room(values))
    r = adder.sums(values)
    r *= a.inverse[i : i + n]
    r *= b.inverse[j : j + n]
    np.subtract(r, np.multiply(a.scaled[i : i + n], b.scaled[j : j + n], out=spare), out=found)
    if not (found.min() >= -1 and found.max() <= 1):  # also where there is a NaN; looking costs less than cutting off
        np.clip(found, -1, 1, out=found)
