"""The rivals of the store: a night as a script would spend it, and one statistic out of ten years of rows.

`naive_snapshots.py jsonl|to_sql CACHE PAIRS OUT` computes the same numbers as `pairwatch snapshot` (with its Python
interface, from its cache) for a file of pairs, and appends them pair after pair: as a line of JSON, not flushed to the
disk, or with `DataFrame.to_sql` to a table with a row a number. Neither keeps inputs, checksums or revisions.

`naive_snapshots.py read_parquet|read_sql FILE` prints the correlation by session from the long rows of one pair.
"""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pandas as pd

QUERY = "SELECT session, value FROM readings WHERE scope = 'pair' AND statistic = 'correlation' ORDER BY session"


def night(how: str, folder: Path, listed: Path, out: Path) -> None:
    from pairwatch import api

    cache = api.cache_at(folder)
    for a, b in json.loads(listed.read_text()):
        found = api.compare(a, b, cache=cache)
        rows = found.to_frame().reset_index().assign(a=a, b=b, session=str(found.as_of))
        if how == "jsonl":
            with out.open("a") as file:
                file.write(json.dumps(rows.to_dict("records")) + "\n")
        else:
            with closing(sqlite3.connect(out)) as db:
                rows.to_sql("readings", db, if_exists="append", index=False)


def read(how: str, file: Path) -> None:
    if how == "read_sql":
        with closing(sqlite3.connect(file)) as db:
            found = pd.read_sql(QUERY, db)
    else:
        rows = pd.read_parquet(file)
        found = rows[(rows["scope"] == "pair") & (rows["statistic"] == "correlation")][["session", "value"]]
    found.to_csv(sys.stdout, index=False)


if __name__ == "__main__":
    way, *files = sys.argv[1], *map(Path, sys.argv[2:])
    night(way, *files) if len(files) == 3 else read(way, *files)
