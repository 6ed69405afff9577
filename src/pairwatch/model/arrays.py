"""Arrays that cannot be written to, and days as text."""

from datetime import date
from typing import Any, TypeAlias

import numpy as np

Floats: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
Days: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]
Positions: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.intp]]

NAN = float("nan")


def frozen_array(values: Any, dtype: str) -> np.ndarray[Any, Any]:
    """A read-only, contiguous array of `values`, copied only where it could still be written to."""
    array = np.ascontiguousarray(values, dtype=dtype)
    if array.flags.writeable:
        array = array.copy()
        array.setflags(write=False)
    return array


def iso(day: np.datetime64 | date | None) -> str | None:
    """The day as `YYYY-MM-DD`, or None."""
    return None if day is None else str(day)
