"""The pairs beside this file, what R said of them, and R itself where there is one."""

import csv
import shutil
import subprocess
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

FOLDER = Path(__file__).parent
SCRIPT = FOLDER / "references.R"
RECORDED = FOLDER / "references.csv"
PACKAGES = ("urca", "tseries", "strucchange", "lmtest", "sandwich", "zoo")


class Legs(NamedTuple):
    a: np.ndarray
    b: np.ndarray

    @property
    def both(self):
        return np.column_stack(self)

    def first(self, n):
        return Legs(self.a[:n], self.b[:n])

    def along(self, direction):
        """y and x of "a_on_b" or of "b_on_a"."""
        return self if direction == "a_on_b" else (self.b, self.a)


@cache
def pair(name):
    a, b = np.loadtxt(FOLDER / f"{name}.csv", delimiter=",", skiprows=1, unpack=True)
    return Legs(a, b)


@cache
def numbers(file=RECORDED):
    """What a file holds, by groups; the versions are words and are left out."""
    found = defaultdict(dict)
    with file.open(newline="", encoding="utf-8") as rows:
        for row in csv.DictReader(rows):
            if row["group"] != "version":
                found[row["group"]][row["name"]] = float(row["value"])
    return dict(found)


def versions(file=RECORDED):
    with file.open(newline="", encoding="utf-8") as rows:
        return {row["name"]: row["value"] for row in csv.DictReader(rows) if row["group"] == "version"}


def keys(group):
    """What each number of a group is called, without the last part: the cases that it was computed for."""
    return sorted({name.rpartition("/")[0] for name in numbers()[group]})


@cache
def why_no_r():
    """Why R cannot be asked here; nothing where it can."""
    if not shutil.which("Rscript"):
        return "Rscript is not installed"
    asked = f"cat(setdiff(c({', '.join(map(repr, PACKAGES))}), rownames(installed.packages())))"
    answer = run_r("-e", asked)
    return f"R has no {answer.stdout}" if answer.stdout.strip() else answer.stderr if answer.returncode else ""


def run_r(*arguments):
    command = ["Rscript", "--vanilla", *map(str, arguments)]  # no profile of the user's
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
