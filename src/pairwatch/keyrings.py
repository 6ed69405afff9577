"""The keyring of the user's desktop, where there is one: passwords and keys, by name."""

from typing import Final

SERVICE: Final = "pairwatch"


def password(name: str) -> str:
    """What the keyring holds under that name, or nothing where there is none, or no keyring."""
    try:
        import keyring  # noqa: PLC0415 - an extra

        return keyring.get_password(SERVICE, name) or ""
    except Exception:  # noqa: BLE001 - not installed, locked, no desktop under cron: backends raise what they like
        return ""
