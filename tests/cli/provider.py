"""A provider that stands for all that are remote: it notes what it is asked, and can be made to fail."""

import threading
import time
from dataclasses import replace

import numpy as np
from tests import builders

from pairwatch.errors import UnknownSymbol
from pairwatch.model import Fetched


class Provider:
    """Answers for every leg with a year of closes, or with what `faults` has for it."""

    def __init__(self):
        self.faults = {}
        self.asked = []
        self.keys = []
        self.deadlines = []
        self.hook = lambda leg: None
        self._lock = threading.Lock()

    def fetch(self, request):
        request.turn()
        with self._lock:
            self.asked.append(str(request.leg))
            self.keys.append(request.key)
            self.deadlines.append(request.deadline)
        self.hook(request.leg)
        if fault := self.faults.get(str(request.leg)):
            raise fault
        if request.leg.symbol.upper().startswith("NOPE"):
            raise UnknownSymbol(f"{request.leg}: no such series")
        seed = sum(request.leg.symbol.encode())
        last = np.datetime64(int(request.now), "s").astype("datetime64[D]")
        days = np.busday_offset(last, np.arange(-249, 1), roll="backward")
        closes = builders.prices(builders.linked_returns(249, seed=seed)[0])
        series = replace(builders.series(closes, days), leg=request.leg)
        wanted = days >= np.datetime64(request.since or "0001-01-01")
        series = replace(series, dates=days[wanted], closes=series.closes[wanted])
        now = max(request.now, time.time())
        return Fetched(series, request.since, request.now, now + 3600, builders.weekdays(0))
