"""A crontab and a systemctl in a folder of their own: what they were told, and what they were left with."""

from pathlib import Path

_CRONTAB = """#!/bin/sh
PATH=/usr/bin:/bin
cd '{folder}' || exit 9
echo "crontab $*" >> calls
case $1 in
-l) [ -e debian ] && sed 's/\\r$/\\\\r/' tab && exit 0
    [ -e tab ] && exec cat tab; echo 'no crontab for me' >&2; exit 1 ;;
-r) rm tab ;;
-) cat > new; [ -e refuse ] && echo '"-":4: bad minute' >&2 && exit 1; mv new tab ;;
esac
"""
_SYSTEMCTL = """#!/bin/sh
PATH=/usr/bin:/bin
cd '{folder}' || exit 9
echo "systemctl $*" >> calls
[ "$2" = is-system-running ] && cat state && exit 1
[ -e "refuse-$2" ] && echo 'Failed to connect to bus: No medium found' >&2 && exit 1
exit 0
"""
_SCRIPTS = {"crontab": _CRONTAB, "systemctl": _SYSTEMCTL}


class Machine:
    """Keeps the fakes' files in `folder`, and the programs in the folder `path`.

    Attributes:
        path: to be all of PATH.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "state", folder / "bin"
        for made in (self.folder, self.path):
            made.mkdir(parents=True)

    def has(self, *programs: str) -> None:
        for name in programs:
            script = self.path / name
            script.write_text(_SCRIPTS[name].format(folder=self.folder))
            script.chmod(0o755)

    def set(self, name: str, content: str = "") -> None:
        """A switch of the fakes: `refuse`, `refuse-enable`, `state`, `debian`."""
        (self.folder / name).write_text(content)

    @property
    def calls(self) -> list[str]:
        log = self.folder / "calls"
        return log.read_text().splitlines() if log.exists() else []

    @property
    def crontab(self) -> bytes | None:
        tab = self.folder / "tab"
        return tab.read_bytes() if tab.exists() else None

    @crontab.setter
    def crontab(self, content: bytes) -> None:
        (self.folder / "tab").write_bytes(content)
