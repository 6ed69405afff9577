"""`pairwatch digest`: what moved on the watch list, on a screen or in the inbox."""

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import DeliveryFailed, UsageError
from pairwatch.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pairwatch.delivery import Content, Delivered
    from pairwatch.digest import Digest, PairOfLegs, Since
    from pairwatch.sending import Server
    from pairwatch.snapshots import Store
    from pairwatch.staging import Question

FORMS = ("auto", "text", "markdown", "html")
# What a file's name says of its format, where none is asked for.
BY_NAME = {".md": "markdown", ".html": "html", ".htm": "html"}
SINCE_HINT = "yesterday, last, a day as YYYY-MM-DD, or how far back: 7d, 2w, 1mo"

app = plain()


@app.command()
def digest(
    since: Annotated[
        str,
        options.option("--since", metavar="yesterday", help="Or DATE, 7d, or last: since the last digest sent there."),
    ] = "yesterday",
    to: Annotated[
        str | None, options.option("--to", metavar="ADDRESS", help="Send it: to mail addresses, or an apprise URL.")
    ] = None,
    send: Annotated[bool, options.option("--send", help="Send it to whom [mail] names in the configuration.")] = False,
    only_news: Annotated[bool, options.option("--only-news", help="Send nothing when nothing is unusual.")] = False,
    window: options.Window = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    seed: options.Seed = None,
    form: Annotated[
        str | None, options.option("--format", "-f", metavar="text|markdown|html", help="text by default.")
    ] = None,
    output: options.Output = None,
    source: options.Source = None,
    log_file: options.LogFile = None,
    quiet: options.Quiet = None,
) -> None:
    """Show what moved on the watch list since yesterday, or send it.

    It reads the snapshots alone. What could not be sent is sent by the next run: exit 9 not delivered, 4 no snapshots
    yet, 7 the store refused.

    Examples:  pairwatch digest --since 7d  |  pairwatch digest --to me@example.com --only-news
    """
    now = time.time()
    settings = world.settings({**locals(), "format": None})
    if not (to or send):
        _show(_chosen_form(form, output), output, since, settings, now)
        return
    if form or output:
        raise UsageError("a digest that is sent has no --format and no --output", "leave out --to and --send for those")
    _post(_recipients(to), since, settings, now, only_news=only_news)


# ---------------------------------------------------------------- on the screen


def _show(form: str, output: Path | None, since: str, settings: dict[str, Any], now: float) -> None:
    from pairwatch.render import digest as render

    day = _since(since)
    if isinstance(day, str):
        raise UsageError("--since last needs to know to whom", "add --to ADDRESS, or --send")
    found = _digest(day, settings, now)
    to = results.destination("table", output)
    page = results.page(to, now)
    if form == "text":
        text = render.as_text(found, page, _height() if to.on_terminal else render.HEIGHT)
    else:
        text = (render.as_html if form == "html" else render.as_markdown)(found, page)
    results.write(text, to)
    log = world.log(settings)
    log.write(now, "digest", newest=str(found.newest), since=str(found.since), summary=render.summary(found))
    words.note(*([log.trouble] if log.trouble else []), quiet=settings["quiet"])


def _chosen_form(typed: str | None, output: Path | None) -> str:
    form = (typed or "auto").strip().lower()
    if form not in FORMS:
        raise UsageError(f"--format cannot be {clean(form)!r}", f"one of {', '.join(FORMS)}")
    if form != "auto":
        return form
    return BY_NAME.get(output.suffix.lower(), "text") if output else "text"


def _height() -> int:
    """The lines of the terminal, but for the prompt's."""
    import shutil

    return max(10, shutil.get_terminal_size((80, 24)).lines - 1)


def _digest(day: "Since", settings: dict[str, Any], now: float) -> "Digest":
    """What moved, of the watch list or, where there is none, of every pair in the store.

    Raises:
        NotEnoughData: there is no snapshot yet.
    """
    from pairwatch.digest import digest as made

    store = world.store(settings)
    asked, windows = world.question({**settings, "as_of": None}, now), world.windows(settings)
    return made(store, {pair: asked.of(*pair, windows) for pair in _pairs(store, asked, settings)}, day, now)


def _pairs(store: "Store", asked: "Question", settings: dict[str, Any]) -> "list[PairOfLegs]":
    if watched := world.watch_list(settings):
        return watched
    from pairwatch.errors import NotEnoughData
    from pairwatch.snapshots.batch import question_text

    found = [(a, b) for a, b, text in store.pairs() if text == question_text(asked)]
    if not found:
        raise NotEnoughData(f"no snapshots with a window of {asked.window} yet", "pairwatch snapshot QQQ IWM")
    return found


def _since(text: str) -> "Since | Literal['last']":
    """What `--since` means; `last` is left to whom it is for.

    Raises:
        UsageError: nothing.
    """
    from pairwatch import config
    from pairwatch.model import Window

    word = text.strip().lower()
    if word in ("yesterday", "last"):
        return None if word == "yesterday" else "last"
    try:
        found = config.day(word) if "-" in word else Window.parse(word)
    except (UsageError, ValueError):
        found = None
    if found is None or (isinstance(found, Window) and found.unit == "b"):
        raise UsageError(f"--since cannot be {clean(text)!r}", SINCE_HINT)
    return found


# ---------------------------------------------------------------- in the inbox


def _recipients(to: str | None) -> "Sequence[str]":
    """Whom it is for, each on their own."""
    from pairwatch import config
    from pairwatch.delivery import recipients

    if to:
        return recipients(to)
    file = world.config_file()
    named = config.mail(world.parsed(file), str(file)).recipient
    if not named:
        raise UsageError(
            "--send knows no recipient", 'in the configuration: [mail] with to = "me@example.com"; or --to'
        )
    return recipients(named)


def _server(recipients: "Sequence[str]") -> "Server | None":
    """The mail server of the configuration, with its password; None where none is set, or none is needed."""
    from pairwatch import config
    from pairwatch.sending import Server, password_of

    file = world.config_file()
    mail = config.mail(world.parsed(file), str(file))
    if not mail.host or all("://" in recipient for recipient in recipients):
        return None
    mode = file.stat().st_mode if os.name == "posix" else None
    password = password_of(mail.user, mail.host, mail.password, mode, os.environ) if mail.user else ""
    return Server(mail.host, mail.port, mail.security, mail.user, mail.sender, password)  # type: ignore[arg-type]


def _post(recipients: "Sequence[str]", since: str, settings: dict[str, Any], now: float, *, only_news: bool) -> None:
    """Send it to each of them, and what is left of days before."""
    from pairwatch.delivery import Post, name_of
    from pairwatch.digest import After
    from pairwatch.snapshots.outbox import Outbox

    asked = _since(since)
    log = world.log(settings)
    post = Post(Outbox(world.store(settings)), _server(recipients), time.time)
    failures = []
    for recipient in recipients:
        last = post.last(recipient) if isinstance(asked, str) else None
        found = _digest((last and After(*last)) if isinstance(asked, str) else asked, settings, now)
        is_known = last is not None and last[1] == found.newest  # and so, without news, is all that it says
        content = _content(found, now) if found.has_news or not (only_news or is_known) else None
        try:
            done = post.deliver(recipient, content)
        except DeliveryFailed as error:
            failures.append(error)
            log.write(now, "digest", recipient=name_of(recipient), outcome="failed", message=error.message)
            continue
        _tell(recipient, done, settings["quiet"], is_empty=content is None)
        for one in done:
            log.write(now, "digest", recipient=one.letter.recipient, outcome=one.outcome, subject=one.letter.subject)
    words.note(*([log.trouble] if log.trouble else []), quiet=settings["quiet"])
    for failure in failures[1:]:
        words.complain(failure)
    if failures:
        raise failures[0]


def _content(found: "Digest", now: float) -> "Content":
    from pairwatch.delivery import Content
    from pairwatch.render import Page
    from pairwatch.render import digest as render

    page = Page(now=now)
    texts = render.subject(found), render.as_text(found, page), render.as_html(found, page)
    return Content(found.newest, found.since, *texts)


def _tell(recipient: str, done: "Sequence[Delivered]", quiet: bool, *, is_empty: bool) -> None:
    """What has become of it, to whoever looks on; cron has no use for good news."""
    from pairwatch import sending

    to = clean(sending.shown(recipient), 200)
    if any(one.outcome == "busy" for one in done):
        words.note(f"the digest to {to} is being sent by another run", quiet=quiet)
    if not sys.stderr.isatty():
        return
    said = {"sent": f"sent to {to}", "known": f"{to} has this digest already"}
    told = [f"{said[one.outcome]}: {one.letter.subject}" for one in done if one.outcome in said]
    words.note(*told, *(["nothing is unusual: no digest was sent"] if is_empty else []), quiet=quiet)
