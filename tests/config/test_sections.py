import re
import subprocess
import sys
import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pairwatch import config
from pairwatch.errors import UsageError
from pairwatch.model import Window
from pairwatch.text import is_clean

FILE = "/etc/pairwatch.toml"
WHOLE = """
window = "1y"
watchlist = [["QQQ", "IWM"], ["SPY", "csv:my prices.csv#TLT"], "GLD  SLV"]

[[rules]]
name = "breakdown"
when = "correlation < 0.6"
until = "correlation > 0.65"
lasting = 2
cooldown = "2h"
pairs = [["QQQ", "IWM"]]

[[rules]]
name = "plain_1"
when = "z > 2"

[mail]
host = "smtp.example.com"
port = 2525
security = "starttls"
user = "me"
from = "me@example.com"
to = "you@example.com"
password = " secret "
"""


def of(read, text):
    return read(tomllib.loads(text), FILE)


def refused(read, text):
    """The two lines of what is said of a file: it is named, and something is to be typed."""
    with pytest.raises(UsageError) as caught:
        of(read, text)
    error = caught.value
    assert error.message.startswith(f"{FILE}: ")
    assert error.hint
    assert is_clean(error.message + error.hint)
    return error.message.removeprefix(f"{FILE}: "), error.hint


# ---------------------------------------------------------------- what a good file says


def test_the_watch_list_keeps_its_order_and_its_texts():
    assert of(config.watch_list, WHOLE) == (
        ("QQQ", "IWM", None),
        ("SPY", "csv:my prices.csv#TLT", None),
        ("GLD", "SLV", None),
    )


def test_a_third_text_is_the_pairs_own_window():
    found = of(config.watch_list, 'watchlist = [["QQQ", "IWM", "5Y"], "SPY  TLT 61b", ["GLD", "my 1y"]]')
    assert [pair.texts for pair in found] == [("QQQ", "IWM", "5y"), ("SPY", "TLT", "61b"), ("GLD", "my 1y")]
    assert found[0].window == Window.parse("5y")


def test_a_rule_says_everything():
    first, _ = of(config.rules, WHOLE)
    assert first == config.RuleText(
        "breakdown", "correlation < 0.6", "correlation > 0.65", 2, 7200.0, (("QQQ", "IWM"),)
    )


def test_a_rule_needs_a_name_and_a_condition_alone():
    _, second = of(config.rules, WHOLE)
    assert second == config.RuleText("plain_1", "z > 2", "", 1, 5 * 86_400.0, ())


def test_mail_says_everything():
    assert of(config.mail, WHOLE) == config.MailText(
        "smtp.example.com", 2525, "starttls", "me", "me@example.com", "you@example.com", " secret "
    )


@pytest.mark.parametrize(("security", "port"), [("tls", 465), ("starttls", 587), ("none", 25), ("TLS", 465)])
def test_the_port_follows_from_the_security(security, port):
    assert of(config.mail, f'[mail]\nsecurity = "{security}"').port == port


@pytest.mark.parametrize("text", ["", 'window = "1y"', "watchlist = []\nrules = []\n[mail]"])
def test_a_file_that_says_nothing_watches_nothing(text):
    assert of(config.watch_list, text) == of(config.rules, text) == ()
    assert of(config.mail, text) == config.MailText("", 465, "tls", "", "", "", "")


def test_a_pair_and_the_pair_the_other_way_round_are_two():
    assert of(config.watch_list, 'watchlist = ["A B", "B A"]') == (("A", "B", None), ("B", "A", None))


def test_the_sections_are_no_unknown_settings():
    assert config.resolve({}, {}, tomllib.loads(WHOLE), FILE)["window"].text == "1y"


def test_a_password_is_not_shown_with_the_rest():
    assert "secret" not in repr(of(config.mail, WHOLE))


# ---------------------------------------------------------------- what is refused

PAIRS = {
    "a text": '"QQQ IWM"',
    "a table": '{a = "b"}',
    "a number in it": "[1]",
    "one leg": '["QQQ"]',
    "three words": '["QQQ IWM SPY"]',
    "three legs": '[["QQQ", "IWM", "SPY"]]',
    "no legs": "[[]]",
    "an empty leg": '[["QQQ", " "]]',
    "a number for a leg": '[["QQQ", 1]]',
    "one leg twice": '[["QQQ", "QQQ"]]',
    "a pair twice": '[["QQQ", "IWM"], "QQQ IWM"]',
    "four texts": '[["QQQ", "IWM", "5y", "5y"]]',
    "a window without a leg": '[["QQQ", " ", "5y"]]',
    "a number for a window": '[["QQQ", "IWM", 5]]',
    "a window of nothing": '[["QQQ", "IWM", "0d"]]',
    "controls": '[["QQQ", "csv:\\u001b[31m"]]',
}


@pytest.mark.parametrize("value", PAIRS.values(), ids=PAIRS)
def test_a_wrong_watch_list_is_named(value):
    assert refused(config.watch_list, f"watchlist = {value}")[0].startswith("watchlist")


@pytest.mark.parametrize("value", PAIRS.values(), ids=PAIRS)
def test_the_wrong_pairs_of_a_rule_are_named(value):
    text = f'[[rules]]\nname = "x"\nwhen = "z > 2"\npairs = {value}'
    assert refused(config.rules, text)[0].startswith("rules[1].pairs")


def test_a_window_that_is_none_is_told_with_those_there_are():
    message, hint = refused(config.watch_list, 'watchlist = [["QQQ", "IWM", "long"]]')
    assert message == "watchlist[1]: not a window: 'long'"
    assert '["QQQ", "IWM", "5y"]' in hint
    assert "61b (bars)" in hint


def test_one_pair_has_one_window():
    message, _ = refused(config.watch_list, 'watchlist = [["QQQ", "IWM", "1y"], "QQQ IWM 5y"]')
    assert message == "watchlist[2] repeats [1]: QQQ IWM"


def test_a_rules_pairs_have_no_window():
    text = '[[rules]]\nname = "x"\nwhen = "z > 2"\npairs = [["QQQ", "IWM", "5y"]]'
    assert refused(config.rules, text)[0].startswith("rules[1].pairs[1] needs two legs, not 3")


def test_the_place_in_the_watch_list_is_told():
    message, _ = refused(config.watch_list, 'watchlist = ["A B", "C D", ["E"]]')
    assert message == "watchlist[3] needs two legs, not 1: \"['E']\""
    message, _ = refused(config.watch_list, 'watchlist = ["A B", "C D", "A B"]')
    assert message == "watchlist[3] repeats [1]: A B"


def test_a_blank_in_a_leg_of_a_text_is_explained():
    assert "needs the first form" in refused(config.watch_list, 'watchlist = ["SPY csv:my prices.csv"]')[1]


RULES = {
    "name": ["1", '""', '"a b"', '"é"', '"a.b"', f'"{"x" * 65}"', '"x\\ny"', '"\\u001b"'],
    "when": ["1", '""', '"  "', "true", '"\\u001b > 1"'],
    "until": ["1", "[]"],
    "lasting": ["0", "1001", "-1", "1.0", '"2"', "true"],
    "cooldown": ["5", '"soon"', '"-1d"', '"367d"'],
    "pairs": ["[]", '"A B"'],
}
GOOD = {"name": '"x"', "when": '"z > 2"'}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in RULES.items() for value in values])
def test_a_wrong_value_of_a_rule_is_named(key, value):
    text = "[[rules]]\n" + "\n".join(f"{k} = {v}" for k, v in {**GOOD, key: value}.items())
    assert refused(config.rules, text)[0].startswith(f"rules[1].{key}")


@pytest.mark.parametrize("key", GOOD)
def test_what_a_rule_needs_is_missed(key):
    text = "[[rules]]\n" + "\n".join(f"{k} = {v}" for k, v in GOOD.items() if k != key)
    assert refused(config.rules, text)[0] == f"rules[1] has no {key}"


def test_two_rules_of_one_name_are_refused():
    rule = '[[rules]]\nname = "x"\nwhen = "z > 2"\n'
    assert refused(config.rules, rule * 2) == ("rules[1].name cannot be 'x'", "every rule needs a name of its own")


@pytest.mark.parametrize("text", ["rules = 1", "[rules]\nx = 1", "rules = [1]"])
def test_rules_that_are_no_list_of_tables_are_told_their_form(text):
    assert "[[rules]]" in refused(config.rules, text)[1]


MAIL = {
    "host": ["1"],
    "port": ["0", "65536", '"465"', "true", "4.5"],
    "security": ['"ssl"', "1"],
    "user": ["1", '"a\\u202e"'],
    "from": ["[]"],
    "to": ['["a@b"]'],
}


@pytest.mark.parametrize(("key", "value"), [(key, value) for key, values in MAIL.items() for value in values])
def test_a_wrong_value_of_mail_is_named(key, value):
    assert refused(config.mail, f"[mail]\n{key} = {value}")[0].startswith(f"mail.{key} cannot be ")


def test_a_wrong_password_is_not_shown():
    assert "123456" not in "".join(refused(config.mail, "[mail]\npassword = 123456"))


@pytest.mark.parametrize("text", ["mail = 1", 'mail = "me@example.com"', "mail = []"])
def test_mail_that_is_no_table_is_told_its_form(text):
    assert "[mail]" in refused(config.mail, text)[1]


@pytest.mark.parametrize(
    ("read", "text", "hint"),
    [
        (config.rules, '[[rules]]\nname = "x"\nwhen = "z > 2"\ncoldown = "1d"', "did you mean cooldown?"),
        (config.mail, '[mail]\nhots = "x"', "did you mean host?"),
        (config.mail, "[mail]\nzzzz = 1", "the keys are host, port, security, user, from, to, password"),
    ],
    ids=["of a list", "near", "far off"],
)
def test_an_unknown_key_is_told_the_nearest(read, text, hint):
    message, helps = refused(read, text)
    assert re.search("knows no key '(coldown|hots|zzzz)'", message)
    assert helps == hint


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
tables = st.dictionaries(
    st.sampled_from(["name", "when", "until", "lasting", "cooldown", "pairs", "host", "port", "security", "to", "x"]),
    values,
)


@given(st.fixed_dictionaries({}, optional={"watchlist": values, "rules": st.lists(tables), "mail": tables | values}))
def test_any_file_is_read_or_refused(file):
    for read in (config.watch_list, config.rules, config.mail):
        try:
            read(file, FILE)
        except UsageError as error:
            said = error.message
            assert said.startswith(f"{FILE}: ")
            assert is_clean(said)


def test_settings_alone_load_no_sections():
    code = (
        "import sys; from pairwatch import config; config.resolve({}, {}, {}, ''); "
        "print('pairwatch.config.sections' in sys.modules, config.watch_list({}, ''))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout == "False ()\n"


def test_what_is_not_there_is_no_attribute():
    with pytest.raises(AttributeError, match="nonsense"):
        _ = config.nonsense
