import sys

import pytest

from pairwatch.keyrings import password


class Module:
    """What stands for the keyring's module: holds passwords, or fails."""

    def __init__(self, passwords=None, error=None):
        self.passwords, self.error = passwords or {}, error

    def get_password(self, service, user):
        if self.error:
            raise self.error
        return self.passwords.get((service, user))


def test_the_keyring_knows_it_by_the_programs_name_and_its_own(monkeypatch):
    monkeypatch.setitem(sys.modules, "keyring", Module({("pairwatch", "FRED_API_KEY"): "k"}))
    assert password("FRED_API_KEY") == "k"


@pytest.mark.parametrize("module", [None, Module(), Module(error=RuntimeError("no desktop")), Module(error=EOFError())])
def test_a_keyring_that_has_none_or_fails_is_none(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "keyring", module)
    assert password("FRED_API_KEY") == ""
