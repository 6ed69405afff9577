"""The tables of `snapshots.db`, step by step from schema 1 on. A step that has been released never changes.

Nothing is ever updated or deleted: triggers refuse it, also to other programs. The view `snapshots` is for people who
look in with the `sqlite3` shell.
"""

# "pwss" in ASCII: tells our files from other programs'.
APPLICATION_ID = 0x70777373

_STEP_1 = """
CREATE TABLE pairs (
    id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, question TEXT NOT NULL,
    UNIQUE (a, b, question)
);
CREATE TABLE statistics (
    id INTEGER PRIMARY KEY, scope TEXT NOT NULL, key TEXT NOT NULL, unit TEXT NOT NULL,
    UNIQUE (scope, key, unit)
);
CREATE TABLE chunks (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, data BLOB NOT NULL);
CREATE TABLE inputs (
    id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, content BLOB NOT NULL, leg TEXT NOT NULL,
    closes BLOB NOT NULL, events INTEGER NOT NULL REFERENCES chunks, facts INTEGER NOT NULL REFERENCES chunks,
    told TEXT NOT NULL
);
CREATE TABLE batches (
    id INTEGER PRIMARY KEY, pair INTEGER NOT NULL REFERENCES pairs, session TEXT NOT NULL, revision INTEGER NOT NULL,
    taken_at REAL NOT NULL, as_of TEXT NOT NULL, program TEXT NOT NULL,
    a INTEGER NOT NULL REFERENCES inputs, b INTEGER NOT NULL REFERENCES inputs,
    checksum INTEGER NOT NULL,
    UNIQUE (pair, session, revision)
);
CREATE TABLE readings (
    batch INTEGER NOT NULL REFERENCES batches, statistic INTEGER NOT NULL REFERENCES statistics, value REAL,
    PRIMARY KEY (batch, statistic)
) WITHOUT ROWID;
CREATE TABLE journal (
    id INTEGER PRIMARY KEY, run INTEGER, at REAL NOT NULL, kind TEXT NOT NULL, detail TEXT NOT NULL
);
CREATE VIEW snapshots AS
    SELECT p.a, p.b, b.session, b.revision, datetime(b.taken_at, 'unixepoch') AS taken_at, s.scope,
        s.key AS statistic, r.value, s.unit, p.question, b.id AS batch
    FROM readings r JOIN batches b ON b.id = r.batch JOIN pairs p ON p.id = b.pair
        JOIN statistics s ON s.id = r.statistic;
"""

_TABLES_1 = ("pairs", "statistics", "chunks", "inputs", "batches", "readings", "journal")


def _append_only(*tables: str) -> str:
    """The triggers that keep what is stored."""
    return "".join(
        f"CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table} "
        f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END;\n"
        for table in tables
        for verb in ("UPDATE", "DELETE")
    )


# Where rules stand (`states`, which alone is overwritten), what began and ended, and what was sent to whom.
_STEP_2 = """
CREATE TABLE states (
    rule TEXT NOT NULL, pair INTEGER NOT NULL REFERENCES pairs, definition TEXT NOT NULL, state TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (rule, pair)
) WITHOUT ROWID;
CREATE TABLE changes (
    id INTEGER PRIMARY KEY, rule TEXT NOT NULL, pair INTEGER NOT NULL REFERENCES pairs, session TEXT NOT NULL,
    at REAL NOT NULL, change TEXT NOT NULL, because TEXT NOT NULL
);
CREATE TABLE messages (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, recipient TEXT NOT NULL, at REAL NOT NULL,
    subject TEXT NOT NULL, text TEXT NOT NULL, html TEXT NOT NULL
);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, message INTEGER NOT NULL REFERENCES messages, at REAL NOT NULL, outcome TEXT NOT NULL,
    detail TEXT NOT NULL
);
"""

STEPS = (_STEP_1 + _append_only(*_TABLES_1), _STEP_2 + _append_only("changes", "messages", "attempts"))
