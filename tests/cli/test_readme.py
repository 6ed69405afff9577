"""What README.md shows is typed as it stands there."""

import csv
import io
import json
import re
import tomllib
from pathlib import Path

import pytest
from tests import builders

from pairwatch import config
from pairwatch.config.settings import SECTIONS

README = Path(__file__).parents[2] / "README.md"
BLOCKS = re.findall(r"^```toml\n(.*?)^```$", README.read_text("utf-8"), re.MULTILINE | re.DOTALL)
TWINS = ("demo:TWIN1", "demo:TWIN2", "--as-of", "2026-06-30")
# What reads the sections of the file, and how it ends where the sections can be read.
COMMANDS = {
    ("config", "show"): 0,
    ("compare", *TWINS): 0,
    ("hedge", *TWINS): 0,
    ("related", *TWINS): 0,
    ("why", *TWINS): 0,
}


@pytest.fixture
def configured(tmp_path, monkeypatch):
    """Writes the configuration file."""

    def write(text):
        path = tmp_path / "config.toml"
        path.write_text(text, "utf-8")
        path.chmod(0o600)
        monkeypatch.setenv("PAIRWATCH_CONFIG", str(path))
        return path

    return write


def write_leg(path, name, closes):
    rows = zip(builders.weekdays(len(closes)), closes, strict=True)
    path.write_text(f"Date,{name}\n" + "".join(f"{day},{close:.6f}\n" for day, close in rows))


def test_the_readme_has_the_sections_that_a_user_writes_by_hand():
    shown = {key for block in BLOCKS for key in tomllib.loads(block)}
    assert shown <= set(SECTIONS)
    assert {"episodes", "instruments", "rules", "mail", "units", "fallback", "keys"} <= shown


@pytest.mark.parametrize("block", BLOCKS, ids=lambda text: text.splitlines()[0].strip("[]"))
def test_every_block_of_toml_works_as_it_is_printed(run, configured, block):
    path = configured(block)
    for command, expected in COMMANDS.items():
        code, _, err = run(*command)
        assert code == expected, (command, err)
    given = tomllib.loads(block)
    for read in (config.mail, config.rules, config.units, config.fallback, config.watch_list):
        read(given, str(path))
    config.file_keys(given, str(path))


def test_the_instrument_and_the_episode_that_are_printed_are_used(run, configured, tmp_path):
    configured(next(block for block in BLOCKS if "[[instruments]]" in block))
    returns = builders.linked_returns(799, 0.8)
    write_leg(tmp_path / "book.csv", "BOOK", builders.prices(returns[0]))
    write_leg(tmp_path / "b.csv", "B", builders.prices(returns[1]))
    legs = ("csv:book.csv#BOOK", "csv:b.csv#B")
    code, out, err = run("why", *legs, "--json")
    assert code == 0, err
    assert json.loads(out)["sections"]["sentences"][0]["sentence"].startswith("csv:book.csv#BOOK is my book; its vol")
    rows = list(csv.DictReader(io.StringIO(run("hedge", *legs, "--section", "stress", "--csv")[1])))
    own = next(row for row in rows if row["episode"] == "my fund's bad week")
    assert (own["from"], own["to"], bool(own["a"])) == ("2024-07-31", "2024-08-05", True)
    assert run("related", *legs, "--json")[0] == 0


def test_the_rule_that_is_printed_is_understood(run, configured, tmp_path, monkeypatch):
    monkeypatch.setenv("PAIRWATCH_CACHE_DIR", str(tmp_path / "cache"))
    configured(next(block for block in BLOCKS if "[[rules]]" in block))
    code, _, err = run("check", "QQQ", "IWM", "--offline")
    assert code == 3, err  # nothing is cached: the rule itself is none that cannot be read, which were 2


@pytest.mark.parametrize(("command", "option"), [("related", "--catalogue"), ("why", "--catalogue")])
def test_the_instrument_that_is_printed_does_as_a_file_of_its_own(run, tmp_path, command, option):
    block = next(block for block in BLOCKS if "[[instruments]]" in block)
    (tmp_path / "mine.toml").write_text(block[block.index("[[instruments]]") :], "utf-8")
    code, _, err = run(command, *TWINS, option, "mine.toml")
    assert code == 0, err


def test_the_episode_that_is_printed_does_as_a_file_of_its_own(run, tmp_path):
    block = next(block for block in BLOCKS if "[[episodes]]" in block)
    (tmp_path / "mine.toml").write_text(block[: block.index("[[instruments]]")], "utf-8")
    out = run("hedge", *TWINS, "--episodes", "mine.toml", "--section", "stress", "--csv")[1]
    assert "my fund's bad week" in {row["episode"] for row in csv.DictReader(io.StringIO(out))}


@pytest.mark.parametrize(("command", "option"), [("related", "--catalogue"), ("why", "--catalogue")])
def test_the_help_says_which_keys_an_instrument_has(run, command, option):
    text = " ".join(run(command, "--help")[1].split())
    assert "symbol, name, asset_class, tilt, region" in text.partition(option)[2]
