"""`pairwatch check A B --when EXPR`, and of the rules of the configuration file."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pairwatch import writing
from pairwatch.cli import options, results, words, world
from pairwatch.cli.groups import plain
from pairwatch.errors import NotEnoughData, SourceError, StaleData, StoreError, UsageError
from pairwatch.text import clean, plural

if TYPE_CHECKING:
    from pairwatch.checking import Outcome, Run, Scoped, Standing, Watched
    from pairwatch.conditions import Rule
    from pairwatch.expressions import Expression, Known
    from pairwatch.logs import Log

IN_FORCE, PARTLY = 5, 8
HEADER = ("a", "b", "rule", "when", "session", "holds", "in_force", "since", "change", "cries", "because")
FORMS = ("text", "csv", "json")
BY_HAND = 'give --when "correlation < 0.6"'
EXAMPLE = 'rules = [{ name = "decoupled", when = "correlation < 0.6" }]'

app = plain()


@app.command()
def check(
    pair: Annotated[list[str] | None, typer.Argument(metavar="[A B]", help="Two legs; or --all.")] = None,
    when: Annotated[
        str | None,
        options.option("--when", metavar="EXPR", help='Such as "correlation < 0.6"; without it, the file\'s rules.'),
    ] = None,
    until: Annotated[
        str | None, options.option("--until", metavar="EXPR", help="What ends it; without it, that --when holds not.")
    ] = None,
    lasting: Annotated[
        str | None, options.option("--lasting", metavar="1", help="For how many sessions in a row it must hold.")
    ] = None,
    cooldown: Annotated[
        str | None, options.option("--cooldown", metavar="5d", help="For how long it is silent after it was said.")
    ] = None,
    every: Annotated[
        bool, options.option("--all", help="The whole watch list, and the pairs that rules name.")
    ] = False,
    new: Annotated[
        bool, options.option("--new", help="Exit 5 only for what has begun now and is not silenced.")
    ] = False,
    window: options.Window = None,
    max_lag: options.MaxLag = None,
    adjust: options.Adjust = None,
    currency: options.Currency = None,
    align: options.Align = None,
    unit: options.Unit = None,
    form: Annotated[
        str | None,
        options.option("--format", "-f", metavar="text|csv|json", help="text, in a pipe, is the news alone."),
    ] = None,
    csv: options.AsCsv = False,
    json: options.AsJson = False,
    source: options.Source = None,
    refresh: options.Refresh = None,
    offline: options.Offline = None,
    max_age: options.MaxAge = None,
    deadline: options.Deadline = None,
    seed: options.Seed = None,
    log_file: options.LogFile = None,
    quiet: options.Quiet = None,
    verbose: options.Verbose = False,
) -> None:
    """Say whether watched conditions hold; exit 5 if one is in force.

    Under cron it speaks when a condition begins or ends, and is silent otherwise. Other exit codes: 0 none is in
    force, 3 all pairs failed, 4 one cannot be said, 6 some data are stale, 7 where rules stand is not known, 8 some
    pairs failed.

    Examples:  pairwatch check QQQ IWM --when "correlation < 0.6 or abs(ratio_zscore) > 2"  |  pairwatch check --all
    """
    now = time.time()
    typed = {"--when": when, "--until": until, "--lasting": lasting, "--cooldown": cooldown}
    settings = world.settings(locals())
    form = _form(csv=csv, json=json, typed=form)
    chosen = _chosen(pair or (), typed, settings, every=every)
    if verbose:
        world.show_logs()
    outcomes = _checked(chosen, settings, now, form=form, units=unit, verbose=verbose)
    _tell(outcomes, quiet=settings["quiet"])
    raise typer.Exit(_code(outcomes, only_new=new))


def _form(*, csv: bool, json: bool, typed: str | None) -> str:
    form = results.form(csv=csv, json=json, typed=typed) or "text"
    if form not in FORMS:
        raise UsageError(f"--format cannot be {clean(form)!r}", f"one of {', '.join(FORMS)}")
    return form


# ---------------------------------------------------------------- what is to be checked


def _chosen(
    legs: Sequence[str], typed: dict[str, str | None], settings: dict[str, Any], *, every: bool
) -> "tuple[Watched, ...]":
    """The pairs with their rules; everything that can be wrong with them is found before anything is fetched."""
    if every and legs:
        raise UsageError(f"{plural(len(legs), 'leg')} and --all", "name two, or say --all for the whole watch list")
    if not every and len(legs) != 2:
        raise UsageError(f"a pair is two legs, not {len(legs)}", "name two, or say --all for the whole watch list")
    from pairwatch import api
    from pairwatch.checking import Watched

    rules = [_typed_rule(typed)] if typed["--when"] is not None else _file_rules(typed, settings)
    if every:
        return _planned(rules, settings)
    pair = api.pair(legs[0], legs[1], settings["source"])
    own = tuple(scoped.rule for scoped in rules if scoped.is_for(pair))
    if not own:
        file = clean(world.config_file(), 200)
        raise UsageError(f"no rule in {file} is for {pair[0]} {pair[1]}", f"add it to a rule's pairs, or {BY_HAND}")
    return (Watched(*pair, own),)


def _planned(rules: "list[Scoped]", settings: dict[str, Any]) -> "tuple[Watched, ...]":
    from pairwatch import checking

    found = checking.plan(world.watch_list(settings), rules)
    if not found:
        raise world.nothing_watched()
    return found


def _typed_rule(typed: dict[str, str | None]) -> "Scoped":
    from pairwatch import checking, config

    known = _known()
    when = _parsed(typed["--when"] or "", "--when", known)
    until = None if typed["--until"] is None else _parsed(typed["--until"], "--until", known)
    lasting = _read(typed["--lasting"] or "1", "--lasting", config.whole(1, 1000))
    cooldown = _read(typed["--cooldown"] or "5d", "--cooldown", config.lasting("0s", "366d"))
    return checking.Scoped(checking.unnamed(when, until, lasting, cooldown))


def _read(text: str, option: str, reader: Any) -> Any:
    try:
        return reader(text)
    except ValueError as error:
        raise UsageError(f"{option} cannot be {clean(text)!r}", str(error)) from None


def _file_rules(typed: dict[str, str | None], settings: dict[str, Any]) -> "list[Scoped]":
    """The rules of the configuration file, of which all must be right."""
    if others := [option for option, text in typed.items() if text is not None]:
        raise UsageError(f"{others[0]} without --when", f"the file's rules have their own; or {BY_HAND}")
    from pairwatch import api, config
    from pairwatch.checking import Scoped
    from pairwatch.conditions import Rule

    file = world.config_file()
    found = config.rules(world.parsed(file), str(file))
    if not found:
        raise UsageError(f"no rules in {clean(file, 200)}", f"put at its top: {EXAMPLE}; or {BY_HAND}")
    known = _known()
    scoped = []
    for text in found:
        where = f"{clean(file, 200)}: rule {text.name}:"
        when = _parsed(text.when, f"{where} when", known)
        until = _parsed(text.until, f"{where} until", known) if text.until else None
        pairs = tuple(api.pair(a, b, settings["source"]) for a, b in text.pairs)
        scoped.append(Scoped(Rule(text.name, when, until, text.lasting, text.cooldown), pairs))
    return scoped


def _known() -> "Known":
    """What a condition can name."""
    from pairwatch import records, stats

    return {entry.key: records.scopes_of(entry) for entry in stats.entries()}


def _parsed(text: str, where: str, known: "Known") -> "Expression":
    from pairwatch.expressions import parse

    try:
        return parse(text, known)
    except UsageError as error:
        raise UsageError(f"{where} {error.message}", error.hint) from None


# ---------------------------------------------------------------- the run


def _checked(
    chosen: "Sequence[Watched]",
    settings: dict[str, Any],
    now: float,
    *,
    form: str,
    units: list[str] | None,
    verbose: bool,
) -> "list[Outcome]":
    """Check pair after pair; as text, each is said before the next one is looked at."""
    from pairwatch.checking import Run
    from pairwatch.snapshots.watching import Watch
    from pairwatch.taking import Legs

    asked = world.question({**settings, "as_of": None}, now)
    cache, log = world.cache(settings), world.log(settings)
    every = [leg for watched in chosen for leg in (watched.a, watched.b)]
    legs = Legs(world.desk(settings, cache, asked, now=now, verbose=verbose, legs=every, units=units))
    run = Run(legs.history, Watch(world.store(settings)), asked, now, world.windows(settings))
    outcomes = []
    for outcome in run.check(chosen):
        _log(log, now, outcome)
        outcomes += _said(run, [outcome], form) if form == "text" else [outcome]
    if form != "text":
        outcomes = _said(run, outcomes, form)
    words.note(*world.trouble(cache), *([log.trouble] if log.trouble else []), quiet=settings["quiet"])
    return outcomes


def _said(run: "Run", outcomes: "list[Outcome]", form: str) -> "list[Outcome]":
    """Write what there is to say, and only then down that it was said; where that fails, the next check says it."""
    try:
        _write(outcomes, form)
    except BaseException:
        for outcome in outcomes:
            run.said(outcome, heard=False)
        raise
    return [run.said(outcome) for outcome in outcomes]


def _log(log: "Log", now: float, outcome: "Outcome") -> None:
    trouble = outcome.error or outcome.refusal
    for row in _rows([outcome]):
        log.write(now, "check", **row, stale=list(outcome.stale), message=trouble and trouble.message)


def _rows(outcomes: "Sequence[Outcome]") -> Iterator[dict[str, Any]]:
    """What is said of each rule of each pair, by the names of `HEADER`; None for what cannot be said."""
    for outcome, standing in _standings(outcomes):
        found, rule = standing.judgement, standing.rule
        known = found if standing.is_known else None
        told = (
            str(outcome.a),
            str(outcome.b),
            rule.name,
            rule.when.text,
            outcome.session and outcome.session.isoformat(),
            found and found.holds,
            known and known.state.holding,
            known and known.state.since and known.state.since.isoformat(),
            known and standing.change,
            known and standing.cries,
            found and found.because,
        )
        yield dict(zip(HEADER, told, strict=True))


def _standings(outcomes: "Sequence[Outcome]") -> "list[tuple[Outcome, Standing]]":
    return [(outcome, standing) for outcome in outcomes for standing in outcome.standings]


# ---------------------------------------------------------------- what is said


def _write(outcomes: "list[Outcome]", form: str) -> None:
    """Every rule of every pair; as text to a pipe or to cron, the news alone."""
    if form == "csv":
        from pairwatch.render.csv import text

        cells = {True: "true", False: "false", None: ""}
        told = (row.values() for row in _rows(outcomes))
        results.write_csv(HEADER, (tuple(text(cells.get(cell, cell)) for cell in row) for row in told))
    elif form == "json":
        from json import dumps

        writing.to_stdout(dumps(list(_rows(outcomes)), indent=2) + "\n")
    else:
        on_terminal = sys.stdout.isatty()
        shown = [(o, s) for o, s in _standings(outcomes) if s.judgement and (on_terminal or s.is_news)]
        line = _line if on_terminal else _news
        if shown:
            writing.to_stdout(_in_charset("".join(f"{o.a} {o.b}: {line(o, s)}\n" for o, s in shown)))


def _in_charset(text: str) -> str:
    """With plain signs where standard output has no others, as under cron without a locale."""
    if (sys.stdout.encoding or "").lower().startswith("utf"):
        return text
    from pairwatch.render.cells import in_ascii

    return in_ascii(text)


def _named(rule: "Rule") -> str:
    """A rule with what it says, once: one without a name is called so."""
    says = f"{rule.when} until {rule.until}" if rule.until else rule.when.text
    return rule.name if rule.name.startswith(says) else f"{rule.name} ({says})"


def _news(outcome: "Outcome", standing: "Standing") -> str:
    """What has just begun or ended; or, where nothing is known of before, what holds."""
    found, what = standing.judgement, _named(standing.rule)
    if not found:
        return what
    if standing.news:
        return f"{what} {standing.change} on {standing.news.session}: {standing.news.because}"
    done = found.change if standing.is_known else "holds"
    return f"{what} {done} on {outcome.session}: {found.because}"


def _line(_: "Outcome", standing: "Standing") -> str:
    """Whether a condition holds, since when it is in force, and why."""
    found, rule = standing.judgement, standing.rule
    if not found:
        return _named(rule)
    parts = [{True: "holds", False: "holds not", None: "cannot be said"}[found.holds]]
    if standing.in_force:
        parts.append(f"in force since {found.state.since}")
    elif standing.is_known and found.holds:
        parts.append(f"not in force: {found.state.streak} of {plural(rule.lasting, 'session')}")
    if standing.is_known and found.change:
        parts.append(f"{found.change} now")
    elif standing.news:
        parts.append(f"{standing.change} on {standing.news.session}, which was not said")
    return f"{_named(rule)} {', '.join(parts)}: {found.because}"


def _tell(outcomes: "list[Outcome]", *, quiet: bool) -> None:
    """What is wrong, each thing once; the error of a single pair is that of the run."""
    if len(outcomes) == 1 and outcomes[0].error:
        raise outcomes[0].error
    troubles = [o.error for o in outcomes if o.error] + [o.refusal for o in outcomes if o.refusal][:1]
    words.complain_once(troubles)
    words.note(*dict.fromkeys(text for o in outcomes for text in o.stale), quiet=quiet)
    unknown = [(o, s) for o, s in _standings(outcomes) if s.judgement and s.judgement.holds is None]
    if not sys.stdout.isatty():  # where the lines say it
        words.note(*(f"{o.a} {o.b}: {_line(o, s)}" for o, s in unknown), quiet=quiet)


def _code(outcomes: "list[Outcome]", *, only_new: bool) -> int:
    """The exit code: a store that cannot be used, what is in force, then the worst of the rest."""
    found = [s for _, s in _standings(outcomes)]
    failed = {o.error.exit_code for o in outcomes if o.error}
    if any(o.refusal for o in outcomes):
        return StoreError.exit_code
    if any(s.cries if only_new else s.in_force for s in found):
        return IN_FORCE
    if failed:
        all_failed = all(o.error for o in outcomes)
        return (failed.pop() if len(failed) == 1 else SourceError.exit_code) if all_failed else PARTLY
    if any(o.stale for o in outcomes):
        return StaleData.exit_code
    return NotEnoughData.exit_code if any(s.judgement and s.judgement.holds is None for s in found) else 0
