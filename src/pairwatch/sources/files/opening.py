"""From the symbol of a leg to bytes, and from bytes to text.

Paths, standard input, gzip and encodings; and the bodies that are no data but were saved as if they were: a page, an
XML error, a spreadsheet. Messages name no leg: `Files.fetch` puts it in front.
"""

import gzip
import re
import sys
import threading
import zlib
from io import BytesIO
from pathlib import Path
from typing import Final

from pairwatch.errors import EmptyAnswer, SourceError, UnreadableFile
from pairwatch.text import clean

LARGEST: Final = 64 * 2**20
STDIN: Final = "-"

_TABS_AND_LINE_ENDS: Final = b"\t\n\v\f\r"
_CONTROLS: Final = bytes(sorted({*range(32), 127} - set(_TABS_AND_LINE_ENDS)))
_MAGIC: Final = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "a spreadsheet",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"%PDF": "a PDF",
    b"SQLite format 3": "a database",
}
_PAGE: Final = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|noscript|style|meta|link|title|h[1-6]|div|p|a|b|br|hr|pre|span|center|font"
    r"|form|table|iframe|svg)\b|<!--",
    re.IGNORECASE,
)
_XML: Final = re.compile(r"<(?:\?xml|error|rss)\b", re.IGNORECASE)
_TITLE: Final = r"(?i)<(title|h1)[^>]*>([^<]+)"
_XML_WORDS: Final = r"(?i)<(code|message)>([^<]+)"
_CHALLENGE: Final = r"(?i)<noscript|/__verify|enable javascript|requires javascript"
# Since the middle of 2026 Stooq answers everybody with a page whose script has to prove that it runs in a browser.
_STOOQ: Final = r"(?i)/__verify|\bstooq\b"
# Whole bodies with status 200 or 429, as recorded, and what they mean.
_BODIES: Final = {
    "no data": "the provider had no data for the symbol or the dates",
    "exceeded the daily hits limit": "Stooq's daily limit was reached when it was saved",
    "too many requests": "the provider throttled when it was saved",
    "edge: too many requests": "Yahoo throttled when it was saved",
    "access denied": "the provider refused the download",
    "forbidden": "the provider refused the download",
}
_SAVE_AGAIN: Final = "open the address in a browser, look at what it says, and save the CSV again"

_stdin_lock: Final = threading.Lock()
_stdin: list[bytes] = []


def split_symbol(symbol: str) -> tuple[str, str]:
    """The path and the column (or an empty text) of `PATH[#COLUMN]`; a file may have a `#` in its own name."""
    path, mark, column = symbol.rpartition("#")
    if mark and (path == STDIN or _exists(path) or not _exists(symbol)):
        return path, column
    return symbol, ""


def read_bytes(path: str) -> bytes:
    """All bytes of a file or of standard input, unpacked where they are gzip.

    Raises:
        UnreadableFile: it cannot be opened, or holds more than `LARGEST` bytes.
    """
    data = _standard_input() if path == STDIN else _file(path)
    if data.startswith(b"\x1f\x8b"):
        data = _unpacked(data)
    if len(data) > LARGEST:
        raise UnreadableFile(f"more than {LARGEST >> 20} MB", "keep the columns and the years that are needed")
    return data


def text_of(data: bytes) -> str:
    r"""The text of a CSV, lines ending in `\n`: UTF-8, UTF-16 with its mark, else Latin-1.

    Raises:
        EmptyAnswer: there is nothing in it, or a provider's `No data`.
        UnreadableFile: binary, or an answer that is no CSV; said in the answer's own words.
    """
    for magic, kind in _MAGIC.items():
        if data.startswith(magic):
            raise UnreadableFile(f"{kind}, not a CSV", "save or unpack it as CSV")
    text = _decoded(data)
    if not text.strip("\ufeff \t\n\v\f\r"):
        raise EmptyAnswer("the file is empty", "check how it was written")
    plain = text.encode("utf-8") if _is_utf16(data) else data
    if len(plain) != len(plain.translate(None, _CONTROLS)):
        raise UnreadableFile("binary data, not text", "save it as CSV")
    _refuse_other_answers(text)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _exists(path: str) -> bool:
    try:
        return Path(path).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


def _file(path: str) -> bytes:
    try:
        with Path(path).expanduser().open("rb") as handle:
            return handle.read(LARGEST + 1)
    except FileNotFoundError:
        raise UnreadableFile("no such file", "the path is taken from the current folder") from None
    except IsADirectoryError:
        raise UnreadableFile("a folder, not a file", "name a file in it") from None
    except PermissionError:
        raise UnreadableFile("no permission to read it", f"chmod u+r {path}") from None
    except (OSError, RuntimeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UnreadableFile(f"it cannot be read: {clean(reason).lower()}", "check the path") from None


def _standard_input() -> bytes:
    """What standard input held, read once in a process: both legs of a pair may stand in it."""
    with _stdin_lock:
        if not _stdin:
            try:
                _stdin.append(sys.stdin.buffer.read(LARGEST + 1))
            except (AttributeError, OSError, ValueError):
                raise UnreadableFile(
                    "standard input is closed", "pairwatch compare csv:-#QQQ csv:-#IWM < all.csv"
                ) from None
        return _stdin[0]


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=BytesIO(data)) as handle:
            return handle.read(LARGEST + 1)
    except (OSError, EOFError, zlib.error):
        raise UnreadableFile("the gzip data are broken or cut short", "download it again") from None


def _is_utf16(data: bytes) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff"))


def _decoded(data: bytes) -> str:
    if _is_utf16(data):
        try:
            return data.decode("utf-16")
        except UnicodeDecodeError:
            raise UnreadableFile("the UTF-16 text is broken or cut short", "save it as UTF-8") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _refuse_other_answers(text: str) -> None:
    """Raise what the text is, if it is a page, XML, JSON or a provider's one-line refusal."""
    start = text[:8192].strip()
    for fits, told in ((_XML.match, _told_xml), (_PAGE.match, _told_page)):
        if fits(start):
            raise told(start)
    if start.startswith(("{", "[")):
        raise UnreadableFile(f"JSON, not a CSV: {_quoted(start)}", "save it as CSV")
    if body := _BODIES.get(start.rstrip(" .!").lower()):
        kind = EmptyAnswer if start.lower().startswith("no data") else UnreadableFile
        raise kind(f"it says {clean(start)!r}: {body}", _SAVE_AGAIN)


def _quoted(text: str) -> str:
    """Words of an answer, on one line."""
    return clean(" ".join(text.split()), 60)


def _told_xml(start: str) -> SourceError:
    words = ": ".join(_quoted(found[1]) for found in re.findall(_XML_WORDS, start))
    return UnreadableFile(f"an XML answer, not a CSV{f': {words}' if words else ''}", _SAVE_AGAIN)


def _told_page(start: str) -> SourceError:
    title = re.search(_TITLE, start)
    said = f" ({_quoted(title[2])})" if title else ""
    if not re.search(_CHALLENGE, start):
        return UnreadableFile(f"a web page{said}, not data", _SAVE_AGAIN)
    if re.search(_STOOQ, start):
        what = "Stooq's check for a browser (a web page that runs JavaScript), not data"
        return UnreadableFile(what, "open the address in a browser, save the CSV there, and name that file: csv:FILE")
    return UnreadableFile(f"a web page{said} that wants a browser with JavaScript, not data", _SAVE_AGAIN)
