"""What the configuration file alone can hold: the watch list, rules and mail.

    watchlist = [
        ["QQQ", "IWM"],                            # or "QQQ IWM", where no leg has a blank in it
        ["fred:UNRATE", "fred:INDPRO", "5y"],      # with a window of its own; or "fred:UNRATE fred:INDPRO 5y"
    ]

    [[rules]]
    name = "breakdown"            # letters, digits, - and _
    when = "correlation < 0.6"
    until = "correlation > 0.65"  # optional
    lasting = 2                   # sessions; optional
    cooldown = "5d"               # optional
    pairs = [["QQQ", "IWM"]]      # optional: the whole watch list

    [mail]                        # all of it optional
    host = "smtp.example.com"
    port = 465
    security = "tls"              # or starttls, or none
    user = "me"
    password = "..."
    from = "me@example.com"
    to = "me@example.com"

Texts stay texts: what a leg or a condition means is for others to say.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from pairwatch.config.settings import choice, lasting, nearest, whole
from pairwatch.errors import UsageError
from pairwatch.model import Window
from pairwatch.text import clean, is_clean

Pair = tuple[str, str]

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
_PAIR_HINT = 'a pair is ["QQQ", "IWM"] or "QQQ IWM"'
_WINDOW_HINT = 'a third text is the pair\'s own window: ["QQQ", "IWM", "5y"]'
_RULE = ("name", "when", "until", "lasting", "cooldown", "pairs")
_MAIL = ("host", "port", "security", "user", "from", "to", "password")
_PORTS = {"tls": 465, "starttls": 587, "none": 25}


class PairText(NamedTuple):
    """A watched pair, its legs as they are written; without a window of its own it has that of the settings."""

    a: str
    b: str
    window: Window | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """As the file's list has it."""
        return (self.a, self.b, str(self.window)) if self.window else (self.a, self.b)


class RuleText(NamedTuple):
    """A rule as it is written.

    Attributes:
        until: what ends it, or empty.
        lasting: for how many sessions in a row it must hold.
        cooldown: seconds for which it is silent after it has been said.
        pairs: whom it is for; none stands for the whole watch list.
    """

    name: str
    when: str
    until: str
    lasting: int
    cooldown: float
    pairs: tuple[Pair, ...]


class MailText(NamedTuple):
    """Where mail goes; a text is empty where the file does not say."""

    host: str
    port: int
    security: str
    user: str
    sender: str
    recipient: str
    password: str

    def __repr__(self) -> str:
        """Everything but the password, which belongs in no log and no traceback."""
        return f"MailText({self.user}@{self.host}:{self.port}, {self.security}, {self.sender} to {self.recipient})"


class _Section:
    """One table of the file: its values by key, and how its errors begin."""

    def __init__(self, where: str, form: str, given: object, keys: tuple[str, ...]) -> None:
        self.where = where
        if not isinstance(given, Mapping):
            raise UsageError(f"{self.where} is no table", f"write it as {form}")
        self.given: Mapping[str, Any] = given
        for key in given:
            if key not in keys:
                near = nearest(key, keys)
                helps = f"did you mean {near}?" if near else f"the keys are {', '.join(keys)}"
                raise UsageError(f"{self.where} knows no key {clean(key)!r}", helps)

    def refuse(self, key: str, needs: str) -> NoReturn:
        # A password is shown nowhere, not even a wrong one.
        shown = "what it is" if key == "password" else repr(clean(self.given.get(key, "")))
        raise UsageError(f"{self.where}.{key} cannot be {shown}", needs)

    def text(self, key: str, *, needed: bool = False) -> str:
        value = self.given.get(key, "")
        if needed and key not in self.given:
            raise UsageError(f"{self.where} has no {key}", f"every one needs it: {key} = ...")
        if not isinstance(value, str) or (needed and not value.strip()):
            self.refuse(key, f"a text in quotes: {key} = ...")
        if key == "password":
            return value
        if not is_clean(value := " ".join(value.split())):
            self.refuse(key, "a text without control characters")
        return value

    def number(self, key: str, low: int, high: int, otherwise: int) -> int:
        value = self.given.get(key, otherwise)
        if type(value) is not int:  # true and false are numbers to Python
            self.refuse(key, f"a whole number from {low} to {high}, without quotes")
        try:
            return whole(low, high)(str(value))
        except ValueError as error:
            self.refuse(key, str(error))


def watch_list(file: Mapping[str, Any], file_name: str) -> tuple[PairText, ...]:
    """The watched pairs in their order.

    Raises:
        UsageError: not a list of pairs, a window that is none, or one pair twice, with whatever windows.
    """
    where = f"{clean(file_name, 200)}: watchlist"
    items = _listed(file.get("watchlist", []), where)
    found = tuple(_watched(item, f"{where}[{number}]") for number, item in enumerate(items, 1))
    _refuse_repeats([(pair.a, pair.b) for pair in found], where)
    return found


def rules(file: Mapping[str, Any], file_name: str) -> tuple[RuleText, ...]:
    """The rules in their order.

    Raises:
        UsageError: a value that cannot be read, an unknown key, or one name twice.
    """
    given = file.get("rules", [])
    if not isinstance(given, list):
        raise UsageError(f"{clean(file_name, 200)}: rules is no list", "write each of them as [[rules]]")
    where = f"{clean(file_name, 200)}: rules"
    sections = [_Section(f"{where}[{number}]", "[[rules]]", rule, _RULE) for number, rule in enumerate(given, 1)]
    found = tuple(_rule(section) for section in sections)
    names = [rule.name for rule in found]
    for section, name in zip(sections, names, strict=True):
        if names.count(name) > 1:
            section.refuse("name", "every rule needs a name of its own")
    return found


def mail(file: Mapping[str, Any], file_name: str) -> MailText:
    """Where mail goes, and by whom.

    Raises:
        UsageError: a value that cannot be read, or an unknown key.
    """
    section = _Section(f"{clean(file_name, 200)}: mail", "[mail]", file.get("mail", {}), _MAIL)
    try:
        security = choice(*_PORTS)(section.text("security") or "tls")
    except ValueError as error:
        section.refuse("security", str(error))
    return MailText(
        host=section.text("host"),
        port=section.number("port", 1, 65_535, _PORTS[security]),
        security=security,
        user=section.text("user"),
        sender=section.text("from"),
        recipient=section.text("to"),
        password=section.text("password"),
    )


def _rule(section: _Section) -> RuleText:
    name = section.text("name", needed=True)
    if not _NAME.match(name):
        section.refuse("name", "a name is made of letters, digits, - and _, 64 at most")
    try:
        cooldown = lasting("0s", "366d")(section.text("cooldown") or "5d")
    except ValueError as error:
        section.refuse("cooldown", str(error))
    pairs = _pairs(section.given.get("pairs", []), f"{section.where}.pairs")
    if "pairs" in section.given and not pairs:
        section.refuse("pairs", "leave it out for the whole watch list")
    return RuleText(
        name,
        section.text("when", needed=True),
        section.text("until"),
        section.number("lasting", 1, 1000, 1),
        cooldown,
        pairs,
    )


def _pairs(given: object, where: str) -> tuple[Pair, ...]:
    found = tuple(_pair(item, f"{where}[{number}]") for number, item in enumerate(_listed(given, where), 1))
    _refuse_repeats(found, where)
    return found


def _listed(given: object, where: str) -> list[object]:
    if not isinstance(given, list):
        raise UsageError(f"{where} is no list", f"write it as a list of pairs; {_PAIR_HINT}")
    return given


def _refuse_repeats(pairs: Sequence[Pair], where: str) -> None:
    found: dict[Pair, int] = {}
    for number, pair in enumerate(pairs, 1):
        if pair in found:
            raise UsageError(f"{where}[{number}] repeats [{found[pair]}]: {_shown(pair)}", "leave one of them out")
        found[pair] = number


def _watched(item: object, where: str) -> PairText:
    """A pair, with or without a third text, its window; in one text, a third word may be of a leg with a blank."""
    words = item.split() if isinstance(item, str) else item
    if not (isinstance(words, list) and len(words) == 3 and isinstance(words[2], str)):
        return PairText(*_pair(item, where))
    try:
        window = Window.parse(words[2])
    except UsageError as error:
        if isinstance(item, str):
            return PairText(*_pair(item, where))
        raise UsageError(f"{where}: {error.message}", f"{_WINDOW_HINT}; {error.hint}") from None
    return PairText(*_pair(words[:2], where), window)


def _pair(item: object, where: str) -> Pair:
    """Two legs, as a list of two texts or one text of two words."""
    legs = item.split() if isinstance(item, str) else item
    if not isinstance(legs, list) or not all(isinstance(leg, str) and leg.strip() for leg in legs):
        raise UsageError(f"{where} is no pair: {clean(item)!r}", _PAIR_HINT)
    if len(legs) != 2:
        blank = "; a leg with a blank in it needs the first form" if isinstance(item, str) else ""
        raise UsageError(f"{where} needs two legs, not {len(legs)}: {clean(item)!r}", _PAIR_HINT + blank)
    if not all(is_clean(leg) for leg in legs):
        raise UsageError(f"{where} has control characters: {clean(item)!r}", _PAIR_HINT)
    a, b = (str(leg).strip() for leg in legs)
    if a == b:
        raise UsageError(f"{where} has {clean(a)!r} twice", "name two different legs")
    return a, b


def _shown(pair: Pair) -> str:
    return " ".join(clean(leg) for leg in pair)
