"""Asking sources no sooner and no faster than they bear, whoever else on this machine asks them: turns and pauses."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from pairwatch.cache import LONGEST_BAN, LONGEST_QUEUE, Cache
from pairwatch.errors import RateLimited, SourceError, TimedOut
from pairwatch.model import Leg
from pairwatch.sources import Pace
from pairwatch.text import age

T = TypeVar("T")

# Who is patient waits for a source that has refused, if it is to be left alone for no longer than this: that covers
# what providers name (a minute, as a rule), also doubled twice. A source that names nothing gets a quarter of an hour
# and more: nobody wants to sit before that, so all its legs fail at once.
LONGEST_REST = 300.0
# A leg that was refused so often in a row has failed, however patient we are.
MOST_REFUSALS = 4
MEANWHILE_SERVED = "what is cached already is served meanwhile"


class Clock(NamedTuple):
    """The instant, in Unix seconds, and what waits so many of them."""

    now: Callable[[], float]
    sleep: Callable[[float], None]


class Turns:
    """What one run waits for before it asks a source. Threads may share it.

    Args:
        cache: where processes tell each other of turns and pauses.
        pace: how hard a source may be asked, by its name.
        deadline, patience: seconds; see `pairwatch.retrieval.Policy`.
    """

    def __init__(
        self,
        cache: Cache,
        pace: Callable[[str], Pace],
        clock: Clock,
        deadline: float,
        patience: float | None = None,
    ) -> None:
        self._cache, self._pace, (self._now, self._sleep) = cache, pace, clock
        self._deadline, self._patience = deadline, patience

    def asked(self, leg: Leg, ask: Callable[[Callable[[], None]], T]) -> T:
        """The answer of a leg's source, unless it asked to be left alone; where it refuses, after a pause worth it.

        Args:
            ask: asks it, and calls what it is handed before each request that goes out.

        Raises:
            RateLimited: the source wants to be left alone for longer than that is worth.
            SourceError: as `ask` raises.
        """
        refusals = 0
        while True:
            self._rest(leg)
            turn = _Turn(lambda: self._wait(leg))
            was_paused = self._cache.paused_until(leg.source) > 0
            try:
                found = ask(turn)
            except RateLimited as error:
                if turn.refused:  # ours: the source has not been asked
                    raise
                refusals += 1
                now = self._now()
                pause = self._cache.pause(leg.source, now, error.retry_after) - now
                if refusals == MOST_REFUSALS or pause > self._longest_rest():
                    if error.hint == RateLimited.default_hint:
                        error.hint = f"{leg.source} is left alone for {age(pause)}; {MEANWHILE_SERVED}"
                    raise
                continue
            if was_paused and not self._left_alone(leg.source):
                self._cache.resume(leg.source)
            return found

    def _left_alone(self, source: str) -> float:
        """For how many seconds more a source wants to be left alone; 0 if it does not.

        A pause that would be longer than any was written under a clock that has been set back.
        """
        left = self._cache.paused_until(source) - self._now()
        return left if 0 < left <= LONGEST_BAN else 0.0

    def _longest_rest(self) -> float:
        """How long a source that has refused is waited for at a time."""
        return min(self._patience or 0.0, LONGEST_REST)

    def _rest(self, leg: Leg) -> bool:
        """Wait until the leg's source may be asked again; whether that took any time.

        Raises:
            RateLimited: it wants to be left alone for longer than that is worth.
        """
        waited, patience = 0.0, self._patience or 0.0
        while left := self._left_alone(leg.source):
            if left > self._longest_rest() or waited + left > patience:
                message = f"{leg}: {leg.source} throttles this machine and is left alone for {age(left)} more"
                raise RateLimited(message, f"run again then; {MEANWHILE_SERVED}")
            self._sleep(left)
            waited += left
        return waited > 0

    def _wait(self, leg: Leg) -> None:
        """Take a turn at the leg's source, and wait until it comes.

        Raises:
            TimedOut: that would be too long.
            RateLimited: the source has asked to be left alone meanwhile.
        """
        pace = self._pace(leg.source)
        patience = min(self._deadline if self._patience is None else self._patience, LONGEST_QUEUE)
        while True:
            wait = self._cache.turn(leg.source, self._now(), pace.gap, pace.burst, patience)
            if wait > patience:
                raise TimedOut(
                    f"{leg}: {leg.source} may be asked again in {age(wait)}; it is asked once in {pace.gap:g} s",
                    "run again later, or wait longer: --deadline",
                )
            if wait <= 0:
                return
            self._sleep(wait)
            if not self._rest(leg):  # after a rest the turn is over, and the others have rested, too
                return


class _Turn:
    """What a source calls before each request that goes out.

    Attributes:
        refused: whether we have let it send nothing more. What it raises then says nothing of its provider.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self.refused = False
        self._wait = wait

    def __call__(self) -> None:
        """Wait for the turn; see `Turns._wait` for what it raises."""
        try:
            self._wait()
        except SourceError:
            self.refused = True
            raise
