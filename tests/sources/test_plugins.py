"""Sources that other packages bring: found, held against the contract, and kept behind a border."""

import json
import os
import re
import subprocess
import sys
import threading
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import get_args
from urllib.parse import quote, quote_plus

import numpy as np
import pytest
from tests.fake_source import TODAY, FakeSource, at, day64

from pairwatch import errors, sources
from pairwatch.cache import FILE_NAME, Cache
from pairwatch.model import Event, Facts, Fetched, Frequency, Leg, Quote, Series
from pairwatch.retrieval import Desk, Policy
from pairwatch.sources import Key, Pace, Request, hushing, plugins
from pairwatch.text import is_clean

NOW = at(TODAY)
LEG = Leg("acme", "widgets/eu")
# A whole plug-in, as its authors would write it.
ACME = """
import numpy as np
from pairwatch.model import Facts, Fetched, Series
from pairwatch.sources import About, Pace

class Acme:
    about = About("", "", remote=True, gives="widgets", needs="nothing", example="acme:widgets",
                  pace=Pace(0.01, 5, 2), keys=("ACME_KEY",))

    def fetch(self, request):
        request.turn()
        today = np.datetime64(int(request.now), "s").astype("datetime64[D]")
        days = np.arange(today - 400, today)
        days = days[np.is_busday(days)]
        if request.since:
            days = days[days >= np.datetime64(request.since)]
        closes = 100 + days.astype(int) % 17 + len(request.leg.symbol)
        facts = Facts(name="Widgets", currency="USD", measure="price", frequency="day")
        series = Series(request.leg, days, closes.astype(float), facts=facts)
        return Fetched(series, request.since, request.now, request.now + 3600, days[-5:])
"""


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder of packages on the path; `site(package, code, **names)` installs one that brings some sources."""
    folder = tmp_path / "site"
    folder.mkdir()
    before = set(sys.modules)

    def install(package: str, code: str = "", **names: str) -> Path:
        if code:
            (folder / f"{package}.py").write_text(code)
        info = folder / f"{package}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.2\n")
        lines = [f"{name} = {value}" for name, value in names.items()]
        (info / "entry_points.txt").write_text("\n".join(["[pairwatch.sources]", *lines, ""]))
        forget()
        return folder

    def forget() -> None:
        plugins._points.cache_clear()
        plugins._plugin.cache_clear()

    monkeypatch.syspath_prepend(str(folder))
    yield install
    forget()
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(folder) in str(sys.modules[name].__file__):
            del sys.modules[name]


@pytest.fixture
def acme(site) -> Path:
    return site("acme_pairwatch", ACME, acme="acme_pairwatch:Acme")


def guarded(fetch, leg: Leg = LEG, **more) -> Fetched:
    """What passes the border of a plug-in whose `fetch` is this."""

    class Plugin:
        def fetch(self, request):
            return fetch(request)

    return plugins._Guarded("acme", "acme 1.2", Plugin()).fetch(Request(leg, NOW, **more))


def good(request: Request) -> Fetched:
    return FakeSource().answer(request)


# ---------------------------------------------------------------- found


def test_a_plugin_is_listed_after_the_sources_that_come_with_pairwatch(acme):
    assert sources.every() == (*sources.names(), "acme")
    assert "acme" not in sources.names()


def test_a_plugin_says_what_it_is(acme):
    about = sources.about("acme")
    assert (about.gives, about.remote, about.pace, about.keys) == ("widgets", True, Pace(0.01, 5, 2), ("ACME_KEY",))


def test_a_leg_of_a_plugin_is_fetched_and_cached_like_any_other(acme, tmp_path):
    cache = Cache(tmp_path / FILE_NAME)
    for origin in ("network", "cache"):
        found = Desk(cache, Policy(NOW)).history(LEG)
        assert found.provenance.origin == origin
        assert (len(found.series), found.series.facts.name) == (286, "Widgets")
    assert [entry.leg for entry in cache.entries()] == [LEG]


def test_without_plugins_there_are_only_the_sources_that_come_with_pairwatch(site):
    site("nothing")
    assert sources.every() == sources.names()


def test_an_unknown_source_is_told_of_plugins_too(acme):
    with pytest.raises(errors.UsageError, match="no source is called 'bloomberg'") as caught:
        sources.about("bloomberg")
    assert ", acme; of any other" in caught.value.hint


def test_a_plugin_never_shadows_a_source_that_comes_with_pairwatch(site):
    site("evil", "raise SystemExit('imported')", yahoo="evil:Evil")
    assert sources.every().count("yahoo") == 1
    assert sources.about("yahoo").cls == "Yahoo"
    assert type(sources.load("demo")).__name__ == "Demo"
    assert plugins.taken() == {"yahoo": "evil 1.2"}


@pytest.mark.parametrize("name", ["Acme", "a", "a" * 17, "2fast", "a-b", "a b"])
def test_a_name_that_no_leg_can_have_is_not_listed(site, name):
    site("acme_pairwatch", ACME, **{name: "acme_pairwatch:Acme"})
    assert sources.every() == sources.names()


def test_a_folder_that_is_on_the_path_twice_brings_its_plugin_once(acme, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(acme), *sys.path])
    plugins._points.cache_clear()
    assert sources.about("acme").gives == "widgets"


def test_for_sources_that_come_with_pairwatch_installed_packages_are_not_looked_through():
    code = "import sys; from pairwatch import sources; sources.names(); sources.about('fred'); sources.load('demo')"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*sys.modules)"], check=True, capture_output=True, text=True
    )
    assert {"importlib.metadata", "pairwatch.sources.plugins"}.isdisjoint(done.stdout.split())


# ---------------------------------------------------------------- of no use


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise RuntimeError('\\x1b[31mred')", "RuntimeError: \ufffd[31mred"),
        ("def broken(:", "SyntaxError"),
        ("Other = 1", "AttributeError"),
        (ACME.replace("about =", "about_it ="), "is no source"),
        (ACME.replace("def fetch", "def fetch_it"), "is no source"),
        ("Acme = 3", "is no source"),
        (ACME.replace("Pace(0.01", "Pace(-1"), "its pace is"),
        (ACME.replace("Pace(0.01", "Pace('soon'"), "TypeError"),
        (ACME.replace('gives="widgets"', 'gives="widgets", exchange_rate="{2}"'), "IndexError"),
        (ACME.replace('gives="widgets"', 'gives="widgets", dollar_rates="EUR"'), "AttributeError"),
    ],
)
def test_a_plugin_that_cannot_be_used_is_an_error_of_two_lines_that_names_its_package(site, code, said):
    site("acme_pairwatch", code, acme="acme_pairwatch:Acme")
    assert "acme" in sources.every()
    for ask in (sources.about, sources.load):
        with pytest.raises(errors.SourceError, match=r"the plug-in acme \(of acme_pairwatch 1.2\)") as caught:
            ask("acme")
        assert said in caught.value.message
        assert is_clean(caught.value.message)
        assert "acme_pairwatch" in caught.value.hint


def test_a_class_that_cannot_be_made_is_an_error_that_names_its_package(site):
    site("acme_pairwatch", ACME + "    def __init__(self): 1 / 0\n", acme="acme_pairwatch:Acme")
    assert sources.about("acme")
    with pytest.raises(errors.SourceError, match="ZeroDivisionError"):
        sources.load("acme")


def test_two_packages_of_one_name_are_an_error_that_names_both(site):
    site("acme_pairwatch", ACME, acme="acme_pairwatch:Acme")
    site("other_acme", ACME, acme="other_acme:Acme")
    with pytest.raises(errors.SourceError, match="several packages bring a source called acme") as caught:
        sources.about("acme")
    assert "acme_pairwatch 1.2" in caught.value.message
    assert "other_acme 1.2" in caught.value.message


def test_what_a_plugin_says_of_itself_is_cleaned(site):
    site("acme_pairwatch", ACME.replace('"widgets"', '"\\x1b[31m" + "w" * 9999'), acme="acme_pairwatch:Acme")
    assert is_clean(sources.about("acme").gives)
    assert len(sources.about("acme").gives) <= 300


# ---------------------------------------------------------------- the border


def test_a_good_answer_passes_as_it_is():
    wanted = good(Request(LEG, NOW))
    found = guarded(good)
    np.testing.assert_array_equal(found.series.closes, wanted.series.closes)
    np.testing.assert_array_equal(found.series.dates, wanted.series.dates)
    np.testing.assert_array_equal(found.expected, wanted.expected)
    assert found.series.facts == wanted.series.facts
    assert found.series.quote == wanted.series.quote
    assert found[1:4] == wanted[1:4]


def test_every_error_of_a_source_passes_with_its_class_and_begins_with_the_leg():
    kinds = [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.SourceError)]
    for kind in kinds:
        for message in ("acme:widgets/eu: out", "out"):

            def fail(_, kind=kind, message=message):
                raise kind(message)

            with pytest.raises(kind) as caught:
                guarded(fail)
            assert caught.value.message.startswith("acme:widgets/eu: ")
            assert caught.value.message.endswith("out")


def test_what_a_plugin_was_told_about_throttling_is_passed_on():
    def fail(_):
        raise errors.RateLimited("\x1b[31mslow down", retry_after=7.0)

    with pytest.raises(errors.RateLimited) as caught:
        guarded(fail)
    assert caught.value.retry_after == 7.0
    assert is_clean(caught.value.message)


@pytest.mark.parametrize("bug", [ZeroDivisionError("x"), KeyError("k"), RecursionError(), SystemExit(3), MemoryError()])
def test_whatever_else_it_raises_is_a_source_error_that_names_it(bug):
    def fail(_):
        raise bug

    with pytest.raises(
        errors.SourceError, match=r"^acme:widgets/eu: the plug-in acme \(of acme 1.2\) failed"
    ) as caught:
        guarded(fail)
    assert type(bug).__name__ in caught.value.message
    assert type(caught.value) is errors.SourceError


def test_ctrl_c_passes():
    def fail(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        guarded(fail)


def test_a_plugin_that_hangs_is_given_up_at_the_deadline():
    released = threading.Event()
    try:
        with pytest.raises(errors.TimedOut, match=r"^acme:widgets/eu: acme: no answer in time"):
            guarded(lambda _: released.wait(30), deadline=0.05)
    finally:
        released.set()


def test_waiting_for_a_turn_does_not_count_against_the_deadline():
    def fetch(request: Request) -> Fetched:
        request.turn()
        time.sleep(0.1)
        request.turn()
        return good(request)

    waits: list[None] = []

    def turn() -> None:
        time.sleep(0.9)
        waits.append(None)

    assert guarded(fetch, deadline=0.8, turn=turn).series.leg == LEG
    assert len(waits) == 2


def test_work_between_turns_counts_against_the_deadline():
    def fetch(request: Request) -> Fetched:
        for _ in range(50):
            time.sleep(0.05)
            request.turn()
        return good(request)

    turns: list[float] = []
    with pytest.raises(errors.TimedOut, match=r"no answer in time|given up"):
        guarded(fetch, deadline=0.2, turn=lambda: turns.append(time.monotonic()))
    assert 1 <= len(turns) <= 4


def test_two_threads_of_a_plugin_may_wait_for_their_turns_at_once():
    def fetch(request: Request) -> Fetched:
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda _: request.turn(), range(2)))
        return good(request)

    assert guarded(fetch, deadline=0.2, turn=lambda: time.sleep(0.4)).series.leg == LEG


def test_turns_that_are_waited_for_at_once_stop_the_clock_once():
    def fetch(request: Request) -> Fetched:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: request.turn(), range(8)))
        time.sleep(2)
        return good(request)

    began = time.monotonic()
    with pytest.raises(errors.TimedOut):
        guarded(fetch, deadline=0.2, turn=lambda: time.sleep(0.2))
    assert time.monotonic() - began < 1


def test_a_plugin_that_was_given_up_gets_no_turn_any_more():
    released, ended = threading.Event(), threading.Event()
    turns: list[str] = []
    raised: list[BaseException] = []

    def fetch(request: Request) -> Fetched:
        request.turn()
        released.wait(30)
        try:
            request.turn()
        except errors.TimedOut as error:
            raised.append(error)
        ended.set()
        return good(request)

    with pytest.raises(errors.TimedOut, match="no answer in time"):
        guarded(fetch, deadline=0.05, turn=lambda: turns.append("turn"))
    released.set()
    assert ended.wait(10)
    assert turns == ["turn"]
    assert len(raised) == 1


def test_a_turn_that_is_refused_is_an_error_of_the_leg():
    def turn() -> None:
        raise errors.TimedOut(f"{LEG}: acme may be asked again in 5 h")

    with pytest.raises(errors.TimedOut, match=r"^acme:widgets/eu: acme may be asked again in 5 h$"):
        guarded(lambda request: request.turn(), turn=turn)


def series_with(**more) -> Series:
    return replace(good(Request(LEG, NOW)).series, **more)


def unsorted_series() -> Series:
    """Arrays can be exchanged behind the back of what has checked them."""
    series = series_with()
    object.__setattr__(series, "dates", series.dates[::-1])
    return series


def broken_series() -> Series:
    series = series_with()
    object.__setattr__(series, "closes", np.full(len(series), np.nan))
    return series


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (unsorted_series, "dates must increase strictly"),
        (broken_series, "closes must be finite"),
        (lambda: series_with(leg=Leg("acme", "gadgets")), "it is of acme:gadgets"),
        (lambda: series_with(dates=np.array([], "datetime64[D]"), closes=np.array([])), "no close"),
        (lambda: series_with(dates=series_with().dates + 30), "which is to come"),
        (lambda: series_with(facts=Facts(measure="vibes")), "there is no 'vibes'"),
        (lambda: series_with(facts=Facts(frequency="often")), "there is no 'often'"),
        (lambda: series_with(facts=Facts(closes_at="noon")), "noon"),
        (lambda: series_with(facts="facts"), "name"),
        (lambda: series_with(events=(Event(day64(TODAY), "party", 1.0),)), "party"),
        (lambda: series_with(events=(Event(day64(TODAY), "dividend", float("nan")),)), "nan"),
        (lambda: series_with(events=(Event(day64(TODAY), "split", 0.0),)), "split of 0.0"),
        (lambda: series_with(events=("dividend",)), "day"),
        (lambda: series_with(quote=Quote(float("inf"), NOW, open=True)), "latest price"),
        (lambda: series_with(quote="100"), "price"),
    ],
)
def test_a_series_that_breaks_the_contract_is_a_garbled_answer(series, said):
    with pytest.raises(errors.GarbledAnswer, match=r"^acme:widgets/eu: the plug-in's answer cannot be used") as caught:
        guarded(lambda request: good(request)._replace(series=series()))
    assert said in caught.value.message


@pytest.mark.parametrize("frequency", get_args(Frequency))
def test_every_frequency_that_there_is_passes(frequency):
    found = guarded(lambda request: good(request)._replace(series=series_with(facts=Facts(frequency=frequency))))
    assert found.series.facts.frequency == frequency


@pytest.mark.parametrize(
    "more",
    [
        {"since": date(2026, 1, 1)},
        {"asked_at": NOW + 1},
        {"asked_at": float("nan")},
        {"fresh_until": float("nan")},
        {"fresh_until": "tomorrow"},
        {"expected": ["soon"]},
        {"remarks": None},
    ],
    ids=str,
)
def test_an_answer_that_breaks_the_contract_is_a_garbled_answer(more):
    with pytest.raises(errors.GarbledAnswer, match=r"^acme:widgets/eu"):
        guarded(lambda request: good(request)._replace(**more))


@pytest.mark.parametrize("answer", [None, 3, "close", (1, 2), good(Request(LEG, NOW)).series])
def test_what_is_no_answer_at_all_is_a_garbled_answer(answer):
    with pytest.raises(errors.GarbledAnswer, match="not with Fetched"):
        guarded(lambda _: answer)


SECRET = "s3cr+t/ACME'KEY%99"  # noqa: S105 - nobody's
SHOWN = (str, quote, quote_plus, lambda key: quote(key, safe=""), lambda key: quote(quote_plus(key)))


def lowered(quoted):
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)


@pytest.mark.parametrize("shown", [*SHOWN, lambda key: lowered(quote_plus(key)), repr])
@pytest.mark.parametrize("kind", [RuntimeError, errors.SourceError, errors.TimedOut, errors.RateLimited, KeyError])
def test_no_error_of_a_plugin_shows_the_users_key(kind, shown):
    said = f"https://acme/x?key={shown(SECRET)} failed"

    def fail(request):
        hint = (said,) if issubclass(kind, errors.SourceError) else ()
        raise kind("x" * 280 + said, *hint) from ValueError(said)

    with pytest.raises(errors.SourceError) as caught:
        guarded(fail, key=Key("ACME_KEY", SECRET))
    told = "".join(traceback.format_exception(caught.value)) + caught.value.hint
    assert not any(form(SECRET) in told for form in SHOWN)
    assert "ACME'KEY" not in told
    assert "s3cr" not in caught.value.message + caught.value.hint


@pytest.mark.parametrize("shown", SHOWN)
def test_nothing_that_a_plugin_answers_shows_the_users_key(shown):
    said = f"key {shown(SECRET)}"
    facts = Facts(name=said, currency="USD", exchange=said)
    found = guarded(
        lambda request: good(request)._replace(series=series_with(facts=facts), remarks=(said,)),
        key=Key("ACME_KEY", SECRET),
    )
    assert found.remarks == ("key ***",)
    assert (found.series.facts.name, found.series.facts.exchange) == ("key ***", "key ***")


def test_an_answer_that_breaks_the_contract_does_not_show_the_users_key():
    given = type(SECRET, (), {})
    for answer in (given(), good(Request(LEG, NOW))._replace(asked_at=SECRET)):
        with pytest.raises(errors.GarbledAnswer) as caught:
            guarded(lambda _, answer=answer: answer, key=Key("ACME_KEY", SECRET))
        assert "s3cr" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("kind", [RuntimeError, errors.SourceError, errors.TimedOut])
def test_an_error_that_cannot_say_what_it_is_is_named(kind):
    class Dumb(kind):
        def __init__(self):
            pass

        def __str__(self):
            raise LookupError("no words")

    def fail(request):
        raise Dumb

    with pytest.raises(errors.SourceError) as caught:
        guarded(fail)
    assert "(it fails to say what)" in caught.value.message
    assert caught.value.message.startswith(str(LEG))


def test_a_remark_that_cannot_be_put_in_words_is_no_error():
    class Dumb:
        __str__ = None

    assert guarded(lambda request: good(request)._replace(remarks=(Dumb(),))).remarks == ("(it fails to say what)",)


def test_a_key_of_fewer_than_four_characters_garbles_nothing():
    facts = Facts(name="a name", currency="USD", timezone="Europe/Paris")
    answer = lambda request: good(request)._replace(series=series_with(facts=facts), remarks=("as adjusted",))  # noqa: E731
    found = guarded(answer, key=Key("ACME_KEY", "a"))
    assert (found.series.facts, found.remarks) == (facts, ("as adjusted",))

    def fail(request):
        raise RuntimeError("https://acme/x?key=abc failed")

    with pytest.raises(errors.SourceError, match=r"RuntimeError: https://acme/x[?]key=abc failed$"):
        guarded(fail, key=Key("ACME_KEY", "abc"))


def test_a_key_that_is_part_of_a_word_that_has_to_be_one_of_a_few_leaves_it(monkeypatch):
    facts = Facts(name="a level", measure="level", frequency="month", changes="percent")
    for key in ("level", "month", "cent"):
        monkeypatch.setattr(hushing, "_forms", {})
        found = guarded(
            lambda request: good(request)._replace(series=series_with(facts=facts)), key=Key("ACME_KEY", key)
        ).series.facts
        assert (found.measure, found.frequency, found.changes) == ("level", "month", "percent")
        assert found.name == ("a ***" if key == "level" else "a level")


def test_text_is_cleaned_on_its_way_in():
    dirty = "\x1b[31m" + "x" * 500
    facts = Facts(name=dirty, currency=dirty, unit=dirty, kind=dirty, exchange=dirty, timezone=dirty, identity=dirty)
    found = guarded(lambda request: good(request)._replace(series=series_with(facts=facts), remarks=(dirty,)))
    told = found.series.facts
    texts = (told.name, told.currency, told.unit, told.kind, told.exchange, told.timezone, told.identity)
    assert all(map(is_clean, (*texts, *found.remarks)))


def test_events_are_put_in_order_and_expected_days_in_the_past_and_once():
    late, early = Event(day64(TODAY), "dividend", 1.0), Event(day64(TODAY) - 9, "split", 2.0)
    expected = np.array([TODAY, TODAY, "2099-01-01", "2026-10-28"], dtype="datetime64[D]")
    found = guarded(lambda request: good(request)._replace(series=series_with(events=(late, early)), expected=expected))
    assert found.series.events == (early, late)
    assert found.expected.tolist() == [date(2026, 10, 28), TODAY]


def test_flags_that_are_no_booleans_can_be_stored(tmp_path):
    facts = Facts(every_day=np.bool_(True), closes_at=np.int64(960))
    found = guarded(lambda request: good(request)._replace(series=series_with(facts=facts)))
    assert json.dumps([found.series.facts.every_day, found.series.facts.closes_at]) == "[true, 960]"


# ---------------------------------------------------------------- through the command line


def pairwatch(folder: Path, *args: str, **variables: str) -> subprocess.CompletedProcess:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), *sys.path]), **variables}
    return subprocess.run(
        [sys.executable, "-m", "pairwatch", *args], capture_output=True, text=True, timeout=60, check=False, env=environ
    )


def test_the_command_line_compares_legs_of_a_plugin(acme):
    done = pairwatch(acme, "compare", "acme:widgets", "acme:Gadgets/eu", "-f", "csv")
    assert done.returncode == 0, done.stderr
    assert "acme:Gadgets/eu" in done.stdout


def test_the_command_line_says_in_two_lines_what_is_wrong_with_a_plugin(site):
    folder = site("acme_pairwatch", "import no_such_module", acme="acme_pairwatch:Acme")
    done = pairwatch(folder, "compare", "acme:widgets", "demo:TWIN1")
    assert done.returncode == 3
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert "no_such_module" in lines[0]
    assert lines[1].startswith("hint:")


def test_a_bug_in_a_plugin_is_no_traceback(site):
    code = ACME.replace("request.turn()", "{}['bug']")
    done = pairwatch(site("acme_pairwatch", code, acme="acme_pairwatch:Acme"), "compare", "acme:widgets", "demo:TWIN1")
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "the plug-in acme (of acme_pairwatch 1.2) failed: KeyError: 'bug'" in done.stderr


TELLTALE = """
        import logging, sys, threading, urllib.parse, warnings
        from requests import adapters
        import urllib3.connectionpool
        key = request.key.secret
        url = "https://acme/x?key=" + urllib.parse.quote(key)
        logging.getLogger("urllib3.connectionpool").debug("asked %s", url)
        logging.getLogger("httpx").info("asked %s", url)
        logging.getLogger("acme.asking").warning("asked %s", url)
        logging.warning("badly asked %d", url)
        own = logging.getLogger("acme.own")
        own.addHandler(logging.StreamHandler())
        own.propagate = False
        own.warning("asked %s", url)
        try:
            raise OSError(url)
        except OSError:
            logging.exception("failed", stack_info=True)
        warnings.warn(url)
        print("printed", url)
        sys.stderr.writelines(["wrote ", url, chr(10)])
        def aside():
            print("thread", url, file=sys.stderr)
            logging.getLogger("acme.thread").warning("asked %s", url)
        thread = threading.Thread(target=aside)
        thread.start()
        thread.join()
        request.turn()"""


@pytest.mark.parametrize("verbose", [True, False])
def test_neither_logs_nor_warnings_nor_prints_of_a_plugin_show_the_users_key(site, verbose):
    folder = site("acme_pairwatch", ACME.replace("request.turn()", TELLTALE.strip()), acme="acme_pairwatch:Acme")
    more = ["--verbose"] if verbose else []
    done = pairwatch(folder, "compare", "acme:widgets", "demo:TWIN1", "-f", "csv", *more, ACME_KEY="s3cretACME")
    assert done.returncode == 0, done.stderr
    assert "s3cret" not in done.stdout + done.stderr
    said = ["failed", "printed https://acme/x?key=***", "wrote https://acme/x?key=***", "UserWarning: https://acme"]
    said += ["thread https://acme/x?key=***", "asked https://acme/x?key=***"]
    said += ["httpx: asked", "urllib3.connectionpool: asked", "acme.thread: asked"] if verbose else []
    assert [one for one in said if one not in done.stderr] == []


# ---------------------------------------------------------------- what it prints


def say(text: str) -> None:
    """Print to where standard output is just now."""
    sys.stdout.write(f"{text}\n")


def is_as_it_was(out: object) -> bool:
    """Whether standard output is as it was; it is not while plug-ins that other tests have given up still run."""
    return sys.stdout is out or bool(plugins._plugged)


def test_what_a_plugin_prints_never_reaches_standard_output(site, capsys):
    loud = ACME.replace("import numpy", "print('imported')\nimport numpy", 1)
    loud = loud.replace("        request.turn()", "        print('asked')\n        request.turn()")
    site("acme_pairwatch", loud, acme="acme_pairwatch:Acme")
    out = sys.stdout
    sources.load("acme").fetch(Request(LEG, NOW))
    assert is_as_it_was(out)
    assert capsys.readouterr() == ("", "imported\nasked\n")


def test_others_write_to_standard_output_while_a_plugin_runs_also_one_that_was_given_up(capsys):
    out, go_on, printed = sys.stdout, threading.Event(), threading.Event()

    def fetch(request):
        say("first")
        go_on.wait(10)
        say("late")
        printed.set()
        return good(request)

    with pytest.raises(errors.TimedOut):
        guarded(fetch, deadline=0.05)
    say("results")
    go_on.set()
    assert printed.wait(10)
    for _ in range(500):
        if is_as_it_was(out):
            break
        time.sleep(0.01)
    assert is_as_it_was(out)
    assert capsys.readouterr() == ("results\n", "first\nlate\n")


def test_plugins_that_run_at_the_same_time_leave_standard_output_as_it_was(capsys):
    out, together = sys.stdout, threading.Barrier(8)

    def fetch(request):
        together.wait(10)
        say("noise")
        return good(request)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: guarded(fetch), range(8)))
    assert is_as_it_was(out)
    found = capsys.readouterr()
    assert (found.out, found.err.count("noise")) == ("", 8)


def test_a_plugin_that_fails_leaves_standard_output_as_it_was():
    out, err = sys.stdout, sys.stderr

    def fetch(request):
        raise ValueError("no")

    with pytest.raises(errors.SourceError):
        guarded(fetch)
    assert is_as_it_was(out)
    assert sys.stderr is err or plugins._plugged
