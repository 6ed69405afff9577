"""Write `instruments.json`, which pairwatch reads, after `instruments.toml`, which people write: run it after a change.

`python tools/instruments.py`
"""

import json
import tomllib
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "pairwatch" / "studies" / "instruments.toml"


def main() -> None:
    """Write the file beside its source."""
    found = tomllib.loads(SOURCE.read_text("utf-8"))
    SOURCE.with_suffix(".json").write_text(json.dumps(found, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
