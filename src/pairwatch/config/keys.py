"""The keys that providers have given to the user: where they are looked for, and who may see them (nobody).

A key is called by a variable, such as FRED_API_KEY. It is that variable's value, or stands in the configuration file,
in small letters and without `_api_key`, or in the keyring under the variable's name.

    [keys]
    fred = "..."
    coingecko_demo = "..."
"""

import re
from collections.abc import Callable, Iterator, Mapping
from threading import Lock
from typing import Any

from pairwatch import keyrings, sources
from pairwatch.config.settings import nearest
from pairwatch.errors import KeyRefused, SourceError, UsageError
from pairwatch.sources import Key
from pairwatch.text import clean

_SECRET = re.compile(r"[!-~]{1,500}\Z")
_NEEDS = "a key is made of visible ASCII characters, without blanks"


class Keys(Mapping[str, Key]):
    """The keys by source, each looked for when it is asked for: a keyring may be slow, and may ask the user.

    Args:
        environ: the variables.
        file: keys of the configuration file, by variable; see `file_keys`.
        file_name: what the file is called where a key's place is shown.
        refused: why the file's keys may not be used, if they may not; raised for whoever needs one of them.
        keyring: what looks into the keyring; it is not called where the variables or the file have a key.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        file: Mapping[str, str] | None = None,
        file_name: str = "",
        keyring: Callable[[str], str] = keyrings.password,
        refused: KeyRefused | None = None,
    ) -> None:
        self._environ = environ
        self._file = file or {}
        self._file_name = file_name
        self._keyring = keyring
        self.refused = refused
        self._known: dict[str, Key | None] = {}
        self._lock = Lock()

    def __repr__(self) -> str:
        """Nothing of what it holds."""
        return "Keys()"

    def __getitem__(self, source: str) -> Key:
        """The key for a source.

        Raises:
            KeyError: there is none.
            KeyRefused: it stands in a file that others may open.
            UsageError: it cannot be one; it is not shown.
        """
        with self._lock:  # several threads may want it at once, and the user is asked once
            if source not in self._known:
                self._known[source] = self._found(source)
        key = self._known[source]
        if key is None:
            raise KeyError(source)
        return key

    def __iter__(self) -> Iterator[str]:
        """The sources that come with pairwatch and have a key at hand."""
        return (source for source in sources.names() if self.at_hand(source))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def at_hand(self, source: str) -> Key | None:
        """The key that the variables or the file have for a source, the better one first; the keyring stays shut.

        Raises:
            KeyRefused: it stands in a file that others may open.
            UsageError: it cannot be one; it is not shown.
        """
        for variable in sources.about(source).keys:
            if secret := self._environ.get(variable):
                return _checked(Key(variable, secret, "the environment"), variable)
            if variable in self._file:
                if self.refused:
                    raise KeyRefused(self.refused.message, self.refused.hint)
                return Key(variable, self._file[variable], self._file_name)
        return None

    def refuses(self, source: str) -> bool:
        """Whether whoever asks for a source's key is told that it may not be used."""
        try:
            self.at_hand(source)
        except (UsageError, SourceError):
            return True
        return False

    def _found(self, source: str) -> Key | None:
        if found := self.at_hand(source):
            return found
        for variable in sources.about(source).keys:
            if secret := self._keyring(variable):
                return _checked(Key(variable, secret, "the keyring"), f"{variable} in the keyring")
        return None


def open_to_others(file_name: str, mode: int | None) -> KeyRefused | None:
    """Why the keys of a file with these permissions may not be used, if they may not.

    Args:
        mode: None where files have none.
    """
    if mode is None or not mode & 0o077:
        return None
    name = clean(file_name, 200)
    message = f"{name}: keys can be read by others (mode {mode & 0o777:03o})"
    return KeyRefused(message, f"chmod 600 {name}, or set the keys' variables, or use a keyring")


def file_keys(file: Mapping[str, Any], file_name: str) -> dict[str, str]:
    """The keys of the file's section `keys`, by variable.

    Raises:
        UsageError: what cannot be a key, which is not shown.
    """
    given, where = file.get("keys", {}), f"{clean(file_name, 200)}: keys"
    if not isinstance(given, Mapping):
        raise UsageError(f"{where} is no table", "write it as [keys]")
    variables = _variables(given)
    for name, secret in given.items():
        if name not in variables:
            near = nearest(name, list(variables))
            helps = f"did you mean {near}?" if near else f"the keys are {', '.join(variables)}"
            raise UsageError(f"{where} knows no key {clean(name)!r}", helps)
        _checked(Key(name, secret if isinstance(secret, str) else ""), f"{where}.{name}")
    return {variables[name]: str(secret) for name, secret in given.items()}


def name_in_file(variable: str) -> str:
    """What a variable's key is called in the file: `fred` for FRED_API_KEY."""
    return variable.lower().removesuffix("_api_key")


def _variables(given: Mapping[str, Any]) -> dict[str, str]:
    """Every variable by its name in the file; plug-ins are looked for only where a name is none of ours."""
    found = _named(sources.names())
    return found if all(name in found for name in given) else found | _named(sources.every())


def _named(names: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        try:
            found |= {name_in_file(variable): variable for variable in sources.about(name).keys}
        except SourceError:  # a plug-in that is of no use, which whoever asks for it is told
            continue
    return found


def _checked(key: Key, where: str) -> Key:
    """The key, if it can be one; what cannot is not shown either."""
    if not _SECRET.match(key.secret):
        raise UsageError(f"{where} cannot be what it is", _NEEDS)
    return key
