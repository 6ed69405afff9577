"""The durable store of snapshots: what was said of a pair, evening by evening, and from what."""

from pairwatch.snapshots.batch import Named, Numbers, Snapshot, Taken
from pairwatch.snapshots.store import FILE_NAME, Appended, Line, Record, Store

__all__ = ["FILE_NAME", "Appended", "Line", "Named", "Numbers", "Record", "Snapshot", "Store", "Taken"]
