import json
import re

import pytest
from tests.cli.running import on_terminal, two_lines

DEMO = ("why", "demo:TWIN1", "demo:TWIN2", "--as-of", "2026-06-30")
TOPICS = ["the legs", "relation", "who leads", "regimes", "reversion", "the gap", "hedge", "analogs", "how sure"]


@pytest.fixture(scope="module")
def shown():
    """What a terminal of 80 columns gets."""
    return on_terminal(*DEMO, NO_COLOR="1")


def test_every_question_is_answered_with_a_number(run):
    code, out, err = run(*DEMO, "--json")
    found = json.loads(out)["sections"]["sentences"]
    assert code == 0
    assert "simulated" in err
    assert list(dict.fromkeys(one["topic"] for one in found)) == TOPICS
    assert all(re.search(r"\d", one["sentence"]) for one in found)
    assert all(one["sentence"].endswith(".") for one in found)
    assert all(one["from"].startswith("pairwatch ") for one in found)


def test_a_table_reads_as_text_in_eighty_columns(shown):
    assert max(map(len, shown.splitlines())) <= 80
    assert [topic for topic in TOPICS if f"\n  {topic} " not in shown] == []
    assert "in full: pairwatch COMMAND demo:TWIN1 demo:TWIN2" in " ".join(shown.split())


def test_a_file_says_what_a_leg_is(run, tmp_path):
    own = '[[instruments]]\nsymbol = "demo:TWIN1"\nfact = "is drawn by lot"\n'
    (tmp_path / "mine.toml").write_text(own, "utf-8")
    out = run(*DEMO, "--catalogue", "mine.toml", "--json")[1]
    assert json.loads(out)["sections"]["sentences"][0]["sentence"].startswith("demo:TWIN1 is drawn by lot; its vol")


def test_a_catalogue_that_is_none_is_refused(run, tmp_path):
    (tmp_path / "mine.toml").write_text("[[instruments]]\n", "utf-8")
    code, _, err = run(*DEMO, "--catalogue", "mine.toml")
    assert code == 2
    assert "mine.toml: instruments[1] has no key 'symbol'" in two_lines(err)[0]


def test_too_short_a_history_says_what_cannot_be_said(run):
    code, out, _ = run("why", "demo:TWIN1", "demo:TWIN2", "--as-of", "2016-02-10", "--json")
    assert code == 0
    said = [one["sentence"] for one in json.loads(out)["sections"]["sentences"]]
    assert any(" do not say " in one for one in said)
    assert all(re.search(r"\d", one) for one in said)


def test_the_same_run_gives_the_same_bytes(run):
    assert run(*DEMO, "--csv") == run(*DEMO, "--csv")
