"""One warm run in this process, stage by stage: prints milliseconds as JSON.

`python benchmarks/stages.py FOLDER`, FOLDER being where `simulated.py` wrote. A stage is timed once, cold, as a run
meets it; `compare.py` takes medians over processes. The order is that of a run, except that imports which happen
inside other stages (numpy.random, rich) are made first, to be seen alone.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def stages(folder: Path) -> dict[str, float]:
    """Milliseconds by stage."""
    took: dict[str, float] = {}

    def timed(name: str, work: Callable[[], object]) -> object:
        start = time.perf_counter()
        result = work()
        took[name] = 1e3 * (time.perf_counter() - start)
        return result

    timed("import typer", lambda: import_module("typer"))
    timed("pairwatch.cli: declare the commands", lambda: import_module("pairwatch.cli"))
    timed("import numpy", lambda: import_module("numpy"))
    timed("import platformdirs", lambda: import_module("platformdirs"))
    timed("import sqlite3, json, dataclasses", lambda: [import_module(m) for m in ("sqlite3", "json", "dataclasses")])
    timed("import pairwatch (the rest)", lambda: [import_module(f"pairwatch.{name}") for name in ("config", "api")])
    timed("import numpy.random", lambda: import_module("numpy.random"))
    api, model = import_module("pairwatch.api"), import_module("pairwatch.model")
    cache = api.cache_at(folder)
    timed("read two legs", lambda: [cache.get(model.Leg("yahoo", symbol)) for symbol in ("QQQ", "IWM")])
    found = timed("compare (the legs read again)", lambda: api.compare("QQQ", "IWM", cache=cache))
    render = import_module("pairwatch.render")
    page = render.Page(now=time.time())
    timed("write CSV", lambda: render.writer("csv")(found, page))
    table = timed("import rich", lambda: import_module("pairwatch.render.table"))
    timed("lay out the table", lambda: table.comparison(found, page))  # type: ignore[attr-defined]
    return took


if __name__ == "__main__":
    print(json.dumps(stages(Path(sys.argv[1]))))
