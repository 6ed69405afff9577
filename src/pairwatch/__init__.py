"""Compare two markets: statistics, who leads whom, and how far to trust the numbers.

The names below load what they need when they are first used; importing pairwatch itself costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pairwatch.api import compare, history, paired, saved, snapshot, verify
    from pairwatch.errors import PairwatchError
    from pairwatch.given import compare_series
    from pairwatch.pairs import leadership

__version__ = "0.1.0"
__all__ = [
    "PairwatchError",
    "__version__",
    "compare",
    "compare_series",
    "history",
    "leadership",
    "paired",
    "saved",
    "snapshot",
    "verify",
]

_HOMES = {
    "PairwatchError": "errors",
    "compare": "api",
    "compare_series": "given",
    "history": "api",
    "leadership": "pairs",
    "paired": "api",
    "saved": "api",
    "snapshot": "api",
    "verify": "api",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'pairwatch' has no attribute {name!r}")
    from importlib import import_module

    found = getattr(import_module(f"pairwatch.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted(__all__)
