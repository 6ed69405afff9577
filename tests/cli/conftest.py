import sys

import pytest
from tests import builders

from pairwatch import cli


@pytest.fixture
def run(capfd, monkeypatch, tmp_path):
    """The command line in this process, in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # so that help names the program by its argv[0]

    def called(*args):
        monkeypatch.setattr(sys, "argv", ["pairwatch", *map(str, args)])
        capfd.readouterr()
        code = cli._run()
        sys.stdout.flush()
        return code, *capfd.readouterr()

    return called


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """A cache that holds AAA and BBB, asked for long ago."""
    from pairwatch.cache import FILE_NAME, Cache
    from pairwatch.model import Holding

    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    cache = Cache(tmp_path / "cache" / FILE_NAME)
    for seed, name in enumerate(("AAA", "BBB")):
        returns, _ = builders.linked_returns(100, seed=seed)
        series = builders.series(builders.prices(returns), symbol=name)
        holding = Holding(series, 1.7e9, 1.7e9, 1.7e9, builders.weekdays(0))
        cache.update(series.leg, lambda _, holding=holding: holding)
    return tmp_path / "cache"


@pytest.fixture
def provider(monkeypatch, tmp_path):
    """Every remote source, without a network and without a keyring; see `tests.cli.provider`."""
    from tests.cli.provider import Provider

    from pairwatch import retrieval, sources

    found = Provider()
    monkeypatch.setitem(sys.modules, "keyring", None)
    monkeypatch.setattr(retrieval, "load", lambda name: found if sources.about(name).remote else sources.load(name))
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    return found
