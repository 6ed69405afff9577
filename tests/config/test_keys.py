"""Where keys come from, and that nobody sees them."""

import threading
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import config, sources
from pairwatch.errors import SourceError, UsageError

FILE = "/etc/pairwatch.toml"
SECRET = "s3cret-Key_0123456789"  # noqa: S105


class Keyring:
    """What stands for the keyring: holds keys, and counts how often it was asked."""

    def __init__(self, **held):
        self.held, self.asked = held, []

    def __call__(self, variable):
        self.asked.append(variable)
        return self.held.get(variable, "")


def keys(environ=(), file=(), keyring=None):
    return config.Keys(dict(environ), dict(file), FILE, keyring or Keyring())


def of_file(text):
    return config.file_keys(tomllib.loads(text), FILE)


# ---------------------------------------------------------------- where they are looked for


def test_the_variable_comes_first():
    keyring = Keyring(FRED_API_KEY="of the keyring")
    found = keys({"FRED_API_KEY": "of-the-variable"}, {"FRED_API_KEY": "of-the-file"}, keyring)
    assert found["fred"] == ("FRED_API_KEY", "of-the-variable", "the environment")
    assert keyring.asked == []


def test_the_file_comes_before_the_keyring():
    keyring = Keyring(FRED_API_KEY="of-the-keyring")
    assert keys({"FRED_API_KEY": ""}, {"FRED_API_KEY": "of-the-file"}, keyring)["fred"] == (
        "FRED_API_KEY",
        "of-the-file",
        FILE,
    )
    assert keyring.asked == []


def test_the_keyring_comes_last():
    found = keys(keyring=Keyring(FRED_API_KEY="of-the-keyring"))
    assert found["fred"] == ("FRED_API_KEY", "of-the-keyring", "the keyring")


def test_the_better_key_of_those_at_hand_is_taken():
    found = keys({"COINGECKO_DEMO_API_KEY": "demo"}, {"COINGECKO_PRO_API_KEY": "pro"})
    assert found["coingecko"][:2] == ("COINGECKO_PRO_API_KEY", "pro")


def test_a_key_at_hand_leaves_the_keyring_shut_though_it_has_a_better_one():
    keyring = Keyring(COINGECKO_PRO_API_KEY="pro")
    assert keys({"COINGECKO_DEMO_API_KEY": "demo"}, keyring=keyring)["coingecko"][:2] == (
        "COINGECKO_DEMO_API_KEY",
        "demo",
    )
    assert keyring.asked == []


def test_the_keyring_is_asked_for_each_variable_and_only_once():
    keyring = Keyring()
    found = keys(keyring=keyring)
    assert found.get("coingecko") is None
    assert "coingecko" not in found
    assert keyring.asked == ["COINGECKO_PRO_API_KEY", "COINGECKO_DEMO_API_KEY"]


def test_a_source_without_keys_never_opens_the_keyring():
    keyring = Keyring()
    assert keys(keyring=keyring).get("yahoo") is None
    assert keyring.asked == []


def test_many_threads_ask_the_keyring_once():
    ready = threading.Barrier(8)
    keyring = Keyring(FRED_API_KEY="k")
    found, got = keys(keyring=keyring), []

    def ask():
        ready.wait()
        got.append(found["fred"].secret)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (got, keyring.asked) == (["k"] * 8, ["FRED_API_KEY"])


def test_what_is_at_hand_says_where_it_is():
    found = keys({"FRED_API_KEY": "a"}, {"COINGECKO_DEMO_API_KEY": "b"})
    assert found.at_hand("fred").where == "the environment"
    assert found.at_hand("coingecko").where == FILE
    assert found.at_hand("cboe") is None
    assert list(found) == ["fred", "coingecko"]
    assert len(found) == 2


def test_a_key_is_told_with_its_place_and_without_what_it_is():
    found = keys({}, {"FRED_API_KEY": SECRET}, Keyring(COINGECKO_PRO_API_KEY=SECRET))
    assert f"{found['fred']}" == f"FRED_API_KEY, in {FILE}"
    assert str(found["coingecko"]) == "COINGECKO_PRO_API_KEY, in the keyring"
    assert str(sources.Key("FRED_API_KEY", SECRET)) == "FRED_API_KEY"


def test_a_plug_ins_key_is_found_by_its_variable(monkeypatch):
    about = sources.about("fred")._replace(keys=("ACME_TOKEN",))
    monkeypatch.setattr(sources, "about", lambda name: about)
    assert keys({"ACME_TOKEN": "t"})["acme"][:2] == ("ACME_TOKEN", "t")


# ---------------------------------------------------------------- the file


def test_the_file_names_keys_in_small_letters():
    text = '[keys]\nfred = "a"\ncoingecko_pro = "b"\ncoingecko_demo = "c"'
    assert of_file(text) == {
        "FRED_API_KEY": "a",
        "COINGECKO_PRO_API_KEY": "b",
        "COINGECKO_DEMO_API_KEY": "c",
    }


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o100600, None])
def test_a_file_of_ones_own_is_believed(mode):
    assert config.open_to_others(FILE, mode) is None


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o666, 0o100644, 0o620])
def test_a_file_that_others_can_open_is_refused(mode):
    refused = config.open_to_others(FILE, mode)
    found = config.Keys({}, {"FRED_API_KEY": SECRET}, FILE, Keyring(), refused)
    with pytest.raises(UsageError, match=f"mode {mode & 0o777:o}") as caught:
        found.get("fred")
    assert f"chmod 600 {FILE}" in caught.value.hint
    assert SECRET not in caught.value.message
    assert found.refuses("fred")


def test_only_who_needs_a_key_of_a_file_that_others_can_open_is_refused():
    refused = config.open_to_others(FILE, 0o644)
    found = config.Keys({"FRED_API_KEY": "b"}, {"FRED_API_KEY": SECRET}, FILE, Keyring(), refused)
    assert found["fred"].secret == "b"  # noqa: S105 - nobody's
    assert [found.get(source) for source in ("yahoo", "demo", "coingecko")] == [None] * 3
    assert not any(found.refuses(source) for source in ("fred", "yahoo", "demo", "coingecko"))


def test_a_file_without_keys_has_none():
    assert of_file("[keys]") == of_file('window = "1y"') == {}


@pytest.mark.parametrize("value", ["1", "[]", '"x"'])
def test_keys_that_are_no_table_are_told_their_form(value):
    with pytest.raises(UsageError) as caught:
        of_file(f"keys = {value}")
    assert (caught.value.message, caught.value.hint) == (f"{FILE}: keys is no table", "write it as [keys]")


@pytest.mark.parametrize(
    ("name", "hint"), [("freed", "did you mean fred?"), ("zzz", "the keys are fred, coingecko_pro")]
)
def test_an_unknown_key_is_told_the_nearest(name, hint):
    with pytest.raises(UsageError) as caught:
        of_file(f'[keys]\n{name} = "{SECRET}"')
    assert caught.value.hint.startswith(hint)
    assert SECRET not in caught.value.message


def test_a_plug_ins_key_is_known_though_another_plug_in_is_of_no_use(monkeypatch):
    about, known = sources.about("fred")._replace(keys=("ACME_TOKEN",)), sources.about

    def told(name):
        if name == "broken":
            raise SourceError("of no use")
        return about if name == "acme" else known(name)

    monkeypatch.setattr(sources, "every", lambda: (*sources.names(), "broken", "acme"))
    monkeypatch.setattr(sources, "about", told)
    assert of_file('[keys]\nacme_token = "t"') == {"ACME_TOKEN": "t"}


# ---------------------------------------------------------------- what is no key, and what is shown

WRONG = ["a b", "a\n", "a\x1b", "ключ", " ", "a" * 501, "a\u200b"]


@pytest.mark.parametrize("secret", WRONG)
@pytest.mark.parametrize("place", ["environ", "keyring"])
def test_what_cannot_be_a_key_is_refused_and_not_shown(secret, place):
    found = keys({"FRED_API_KEY": secret}) if place == "environ" else keys(keyring=Keyring(FRED_API_KEY=secret))
    with pytest.raises(UsageError) as caught:
        found["fred"]
    assert caught.value.message.startswith("FRED_API_KEY")
    assert caught.value.message.endswith("cannot be what it is")


@pytest.mark.parametrize("value", ['""', "1", '["x"]', '"a b"', '"\\u001b"', "true"])
def test_a_wrong_key_of_the_file_is_named_and_not_shown(value):
    with pytest.raises(UsageError) as caught:
        of_file(f"[keys]\nfred = {value}")
    assert caught.value.message == f"{FILE}: keys.fred cannot be what it is"


def test_nothing_that_holds_a_key_shows_it():
    found = keys({"FRED_API_KEY": SECRET})
    for one in (found, found["fred"], found.at_hand("fred"), dict(found), [*found.items()]):
        assert SECRET not in f"{one} {one!r}"


@given(st.text(max_size=30))
def test_any_text_is_a_key_or_a_usage_error_without_it(secret):
    try:
        assert keys({"FRED_API_KEY": secret}).get("fred") in (None, ("FRED_API_KEY", secret, "the environment"))
    except UsageError as error:
        said = error.message
        assert said == "FRED_API_KEY cannot be what it is"
