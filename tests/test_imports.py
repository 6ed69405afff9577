"""What a run loads, each time in a clean interpreter: a warm run must feel like a shell command."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from tests import builders, snapped

from pairwatch import cli

ROOT = Path(__file__).parent.parent
# Slow to import, and needed by some sources alone.
HEAVY = {
    "asyncio",
    "bs4",
    "curl_cffi",
    "exchange_calendars",
    "importlib.metadata",
    "pandas",
    "pyarrow",
    "pydantic",
    "requests",
    "scipy",
    "statsmodels",
    "tomlkit",
    "urllib3",
    "yfinance",
}
COMMANDS = {module for module, _ in cli.Commands.table.values()}
FORMATS = {f"pairwatch.render.{name}" for name in ("csv", "json", "markdown", "table")}
TWINS = ("compare", "demo:TWIN1", "demo:TWIN2", "--as-of", "2026-06-30")
LEGS = ("compare", "AAA", "BBB", "--offline")

_COMMAND = """
import json, sys
sys.argv = ["pairwatch", *json.loads(sys.argv[1])]
from pairwatch import cli
code = cli._run()
sys.stderr.write("\\n" + json.dumps([code, sorted(sys.modules)]))
"""
_EACH_ALONE = """
import importlib, json, pkgutil, sys
import pairwatch
names = [m.name for m in pkgutil.walk_packages(pairwatch.__path__, "pairwatch.") if m.name != "pairwatch.__main__"]
loaded = {}
for name in names:
    for known in [m for m in sys.modules if m.split(".")[0] == "pairwatch"]:
        del sys.modules[known]
    importlib.import_module(name)
    loaded[name] = sorted(m for m in sys.modules if m.startswith("pairwatch."))
print(json.dumps(loaded))
"""


def python(code, *args):
    return subprocess.run([sys.executable, "-c", code, *args], check=True, capture_output=True, text=True, timeout=60)


def modules_after(*args, code=0):
    """The modules that are loaded when a command has run."""
    done = python(_COMMAND, json.dumps(args))
    ended, names = json.loads(done.stderr.splitlines()[-1])
    assert ended == code, done.stderr
    return set(names)


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A cache that holds AAA and BBB."""
    from pairwatch.cache import FILE_NAME, Cache
    from pairwatch.model import Holding

    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path))
    cache = Cache(tmp_path / FILE_NAME)
    for seed, name in enumerate(("AAA", "BBB")):
        series = builders.series(builders.prices(builders.linked_returns(100, seed=seed)[0]), symbol=name)
        holding = Holding(series, 1.7e9, 1.7e9, 1.7e9, builders.weekdays(0))
        cache.update(series.leg, lambda _, holding=holding: holding)


def test_the_package_alone_loads_nothing():
    done = python("import sys, pairwatch; print(*sorted(sys.modules))")
    loaded = set(done.stdout.split())
    assert not loaded & (HEAVY | {"numpy", "typer", "rich", "sqlite3"})
    assert {name for name in loaded if name.startswith("pairwatch")} == {"pairwatch"}


@pytest.mark.parametrize(
    "args", [("--version",), ("--help",), ("compare", "--help"), ("cache", "--help")], ids=" ".join
)
def test_help_and_version_load_neither_numpy_nor_rich(args):
    assert not modules_after(*args) & (HEAVY | {"numpy", "rich", "sqlite3", "platformdirs"})


@pytest.mark.parametrize("args", [("--version",), ("--help",), ("compre",)], ids=" ".join)
def test_no_command_is_loaded_before_it_is_invoked(args):
    assert not modules_after(*args, code=2 if args == ("compre",) else 0) & COMMANDS


@pytest.mark.parametrize("name", cli.Commands.table)
def test_a_command_loads_no_other(name):
    module, _ = cli.Commands.table[name]
    assert modules_after(name, "--help") & COMMANDS == {module}


@pytest.mark.parametrize("name", ["csv", "json", "markdown"])
@pytest.mark.parametrize("legs", [TWINS, LEGS], ids=["demo", "cache"])
def test_a_warm_run_into_a_pipe_loads_no_rich(cached, legs, name):
    loaded = modules_after(*legs, "-f", name)
    assert not loaded & (HEAVY | {"rich"})
    assert loaded & FORMATS == {f"pairwatch.render.{name}"}


@pytest.mark.parametrize("legs", [TWINS, LEGS], ids=["demo", "cache"])
def test_a_warm_run_with_a_table_loads_rich_and_nothing_heavy(cached, legs):
    loaded = modules_after(*legs, "-f", "table")
    assert not loaded & HEAVY
    assert "rich.segment" in loaded
    assert "rich.console" not in loaded
    assert loaded & FORMATS == {"pairwatch.render.table"}


@pytest.mark.parametrize(
    "args",
    [("explain", "beta"), ("config", "show"), ("watchlist", "list"), ("cache", "path"), ("cache", "info")],
    ids=" ".join,
)
def test_the_small_commands_load_nothing_heavy(args):
    assert not modules_after(*args) & (HEAVY | {"rich"})


def of_the_store(loaded):
    """What a run without snapshots does without."""
    wanted = tuple(f"pairwatch.{name}" for name in ("snapshots", "differences", "movements", "vintages", "revisions"))
    return {name for name in loaded if name.startswith(wanted)}


@pytest.mark.parametrize("name", ["csv", "json", "markdown", "table"])
def test_without_a_file_of_snapshots_a_run_loads_no_store(cached, name):
    assert of_the_store(modules_after(*LEGS, "-f", name)) == set()


@pytest.mark.parametrize("name", ["json", "table"])
def test_with_a_file_of_snapshots_a_run_loads_the_store_and_nothing_heavy(cached, tmp_path, monkeypatch, name):
    snapped.store(tmp_path)
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path))
    loaded = modules_after(*LEGS, "-f", name)
    assert not loaded & HEAVY
    assert {"pairwatch.snapshots", "pairwatch.differences", "pairwatch.vintages"} <= of_the_store(loaded)


@pytest.mark.parametrize(
    "args", [("diff", "AAA", "BBB"), ("compare", "AAA", "BBB", "--vintage", "latest")], ids=" ".join
)
def test_what_is_read_from_the_store_loads_nothing_heavy(tmp_path, monkeypatch, args):
    snapped.store(tmp_path)
    monkeypatch.setenv("PAIRWATCH_DATA_DIR", str(tmp_path))
    assert not modules_after(*args) & (HEAVY | {"rich", "zoneinfo"})


def test_listing_the_sources_loads_nothing_heavy_but_what_finds_plug_ins():
    assert modules_after("sources") & HEAVY == {"importlib.metadata"}


def test_keys_units_and_fallbacks_load_nothing_heavy(cached, tmp_path, monkeypatch):
    file = tmp_path / "config.toml"
    file.write_text('[units]\nAAA = "index"\n[fallback]\nBBB = ["yahoo", "demo:TWIN1"]\n[keys]\nfred = "abc"\n')
    file.chmod(0o600)
    monkeypatch.setenv("PAIRWATCH_CONFIG", str(file))
    assert not modules_after(*LEGS, "-f", "csv") & (HEAVY | {"keyring", "rich"})


def test_a_file_without_units_and_fallbacks_loads_no_reader_of_them(cached):
    assert not modules_after(*LEGS, "-f", "csv") & {"pairwatch.config.legs", "pairwatch.config.sections"}


def test_a_source_loads_no_other_source():
    loaded = modules_after(*TWINS)
    assert "pairwatch.sources.demo" in loaded
    assert not loaded & {"pairwatch.sources.yahoo", "pairwatch.sources.files"}


def test_one_thread_is_asked_for_before_numpy_comes():
    done = python(
        "import sys, os; sys.argv = ['pairwatch', 'explain', 'beta'];"
        "from pairwatch import cli; cli._run(); print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    assert done.stdout.splitlines()[-1] == "1"


def layers():
    """For every top-level module, its layer's number (0 is the highest) as the configuration has it."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    found = next(c["layers"] for c in contracts if c["type"] == "layers")
    return {name.strip(): number for number, layer in enumerate(found) for name in layer.split("|")}


def test_every_module_has_a_layer_and_loads_only_those_below_it():
    order = layers()
    for module, loaded in json.loads(python(_EACH_ALONE).stdout).items():
        own = module.split(".")[1]
        others = {name.split(".")[1] for name in loaded} - {own}
        assert own in order
        assert {name for name in others if order[name] <= order[own]} == set(), module
