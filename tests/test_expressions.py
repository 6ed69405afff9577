import math
import operator
import sys
from random import Random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from pairwatch.errors import UsageError
from pairwatch.expressions import DEEPEST, LONGEST, parse, spelled
from pairwatch.text import is_clean

NAN = math.nan
KNOWN = {
    "correlation": ("pair",),
    "ratio_zscore": ("pair",),
    "lead_p_value": ("leadership",),
    "volatility": ("a", "b", "difference"),
    "last": ("a", "b"),
}
NAMES = [(scope, key) for key, scopes in KNOWN.items() for scope in scopes]


def lookup(**values):
    return lambda scope, key: values[key if scope in ("pair", "leadership") else f"{scope}_{key}"]


def holds(text, **values):
    return parse(text, KNOWN).holds(lookup(**values))


def refusal(text):
    with pytest.raises(UsageError) as caught:
        parse(text, KNOWN)
    assert caught.value.hint
    assert caught.value.hint != UsageError.default_hint
    return caught.value


# ---------------------------------------------------------------- a reference
# Trees are tuples; numbers are Python's floats, and truth is 0, 1 or, unknown, a half.

COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
LITERALS = {
    "0": 0.0,
    "2.": 2.0,
    "0.6": 0.6,
    ".6": 0.6,
    "1e-3": 0.001,
    "1E+2": 100.0,
    "5%": 0.05,
    "7 %": 0.07,
    "1.1%": 0.011,
    "2e1%": 0.2,
}
TIGHTNESS = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6, "minus": 7}


def number(tree, values):  # noqa: PLR0911 - one line a form
    match tree:
        case ("literal", spelling):
            return LITERALS[spelling]
        case ("name", name):
            return values[name]
        case ("minus", x):
            return -number(x, values)
        case ("abs", x):
            return abs(number(x, values))
        case ("min" | "max" as function, *numbers):
            found = [number(x, values) for x in numbers]
            order = sorted(found)
            return NAN if any(x != x for x in found) else order[0 if function == "min" else -1]  # noqa: PLR0124
        case (sign, x, y):
            x, y = number(x, values), number(y, values)
            if sign == "/":
                return x / y if y != 0 else NAN
            return {"+": x + y, "-": x - y, "*": x * y}[sign]


def truth(tree, values):
    match tree:
        case ("and", x, y):
            return min(truth(x, values), truth(y, values))
        case ("or", x, y):
            return max(truth(x, values), truth(y, values))
        case ("not", x):
            return 1 - truth(x, values)
        case ("compare", signs, *operands):
            found = [number(x, values) for x in operands]
            return min(map(step, signs, found, found[1:]))


def step(sign, x, y):
    return 0.5 if math.isnan(x) or math.isnan(y) else float(COMPARE[sign](x, y))


def tokens(tree, least, chance):
    """The tree as pieces of text, in parentheses where they are needed and, by chance, where they are not."""
    found, level = pieces(tree, chance)
    while level < least or chance.random() < 0.1:
        found, level = ["(", *found, ")"], 9
    return found


def pieces(tree, chance):  # noqa: PLR0911 - one line a form
    match tree:
        case ("literal", spelling):
            return [spelling], 9
        case ("name", name):
            return [spelled(*name)], 9
        case ("minus", x):
            return ["-", *tokens(x, 7, chance)], 7
        case ("not", x):
            return [cased("not", chance), *tokens(x, 3, chance)], 3
        case ("abs" | "min" | "max" as function, *numbers):
            inside = [piece for x in numbers for piece in [",", *tokens(x, 1, chance)]]
            return [function, "(", *inside[1:], ")"], 9
        case ("compare", signs, first, *others):
            later = [piece for sign, x in zip(signs, others, strict=True) for piece in [sign, *tokens(x, 5, chance)]]
            return [*tokens(first, 5, chance), *later], 4
        case (word, x, y):
            level = TIGHTNESS[word]
            return [*tokens(x, level, chance), cased(word, chance), *tokens(y, level + 1, chance)], level


def cased(word, chance):
    return "".join(chance.choice([letter, letter.upper()]) for letter in word)


def spaced(found, chance):
    """One text, with blanks where they are needed and, by chance, where they are not."""
    text = ""
    for piece in found:
        touching = (text[-1:].isalnum() or text[-1:] == ".") and (piece[0].isalnum() or piece[0] == ".")
        text += " " * max(touching, chance.choice([0, 0, 1, 1, 1, 3])) + piece
    return text + " " * chance.choice([0, 2])


def named(tree):
    """The names of a tree from left to right."""
    match tree:
        case ("name", name):
            return [name]
        case ("literal", _):
            return []
        case ("compare", _, *parts) | (_, *parts):
            return [name for part in parts for name in named(part)]


numbers = st.recursive(
    st.one_of(
        st.tuples(st.just("literal"), st.sampled_from(sorted(LITERALS))),
        st.tuples(st.just("name"), st.sampled_from(NAMES)),
    ),
    lambda x: st.one_of(
        st.tuples(st.sampled_from(["+", "-", "*", "/"]), x, x),
        st.tuples(st.sampled_from(["minus", "abs"]), x),
        st.tuples(st.sampled_from(["min", "max"]), x, x),
        st.tuples(st.just("max"), x, x, x),
    ),
    max_leaves=4,
)
comparisons = st.integers(1, 2).flatmap(
    lambda n: st.tuples(st.just("compare"), st.tuples(*[st.sampled_from(sorted(COMPARE))] * n), *[numbers] * (n + 1))
)
conditions = st.recursive(
    comparisons,
    lambda x: st.one_of(st.tuples(st.sampled_from(["and", "or"]), x, x), st.tuples(st.just("not"), x)),
    max_leaves=4,
)
chances = st.integers(0, 2**32).map(Random)
# Few different numbers, so that they are often equal, and often unknown.
values_of_names = st.fixed_dictionaries(
    {name: st.one_of(st.sampled_from([0.0, 0.05, 0.6, 2.0, -2.0, NAN, NAN, math.inf]), st.floats()) for name in NAMES}
)


@settings(max_examples=200)
@given(conditions, values_of_names, chances)
def test_any_condition_means_what_the_reference_says(tree, values, chance):
    text = spaced(tokens(tree, 1, chance), chance)
    assume(len(text) <= 600)
    found = parse(text, KNOWN)
    assert found.holds(lambda *name: values[name]) is {0: False, 0.5: None, 1: True}[truth(tree, values)]
    assert found.names == tuple(dict.fromkeys(named(tree)))


@settings(max_examples=100)
@given(conditions, values_of_names, chances)
def test_the_normalised_text_is_read_as_the_same_condition(tree, values, chance):
    text = spaced(tokens(tree, 1, chance), chance)
    assume(len(text) <= 600)
    found = parse(text, KNOWN)
    again = parse(str(found), KNOWN)
    assert str(again) == str(found)
    assert again == found
    assert again.holds(lambda *name: values[name]) is found.holds(lambda *name: values[name])


@given(conditions, chances, chances)
def test_spacing_and_needless_parentheses_do_not_change_the_normalised_text(tree, one, other):
    texts = [spaced(tokens(tree, 1, chance), chance) for chance in (one, other)]
    assume(max(map(len, texts)) <= 600)
    assert len({parse(text, KNOWN) for text in texts}) == 1


# ---------------------------------------------------------------- what a text means


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("correlation<.60", "correlation < 0.6"),
        ("correlation  <  5%", "correlation < 0.05"),
        ("correlation < 1E2", "correlation < 100"),
        ("correlation < 1e-5", "correlation < 1e-05"),
        ("correlation < 1e16", "correlation < 1e+16"),
        ("(((correlation))) < ((1))", "correlation < 1"),
        ("pair.correlation < leadership.lead_p_value", "correlation < lead_p_value"),
        ("1 < 2 OR 3 < 4 aNd Not 5 < 6", "1 < 2 or 3 < 4 and not 5 < 6"),
        ("1 < 2 or (3 < 4 and 5 < 6)", "1 < 2 or 3 < 4 and 5 < 6"),
        ("(1 < 2 or 3 < 4) and 5 < 6", "(1 < 2 or 3 < 4) and 5 < 6"),
        ("(1 < 2 or 3 < 4) or 5 < 6", "1 < 2 or 3 < 4 or 5 < 6"),
        ("not (1 < 2)", "not 1 < 2"),
        ("(not 1 < 2) and 3 < 4", "not 1 < 2 and 3 < 4"),
        ("not (1 < 2 and 3 < 4)", "not (1 < 2 and 3 < 4)"),
        ("not not 1 < 2", "not not 1 < 2"),
        ("1 - 2 - 3 < 0", "1 - 2 - 3 < 0"),
        ("1 - (2 - 3) < 0", "1 - (2 - 3) < 0"),
        ("(1 + 2) * 3 < 4 + (5 * 6)", "(1 + 2) * 3 < 4 + 5 * 6"),
        ("8 / (4 / 2) < 8 / 4 / 2", "8 / (4 / 2) < 8 / 4 / 2"),
        ("- (1 * 2) < (-1) * 2", "-(1 * 2) < -1 * 2"),
        ("1 - -2 < - - 3", "1 - -2 < --3"),
        ("-(1 + 2) < 3", "-(1 + 2) < 3"),
        ("max( 1,2 ,(3)) < abs((4 + 5))", "max(1, 2, 3) < abs(4 + 5)"),
        ("0.2<correlation<=0.6!=a.last", "0.2 < correlation <= 0.6 != a.last"),
    ],
)
def test_a_condition_is_normalised(text, normal):
    assert str(parse(text, KNOWN)) == normal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 < 2 or 1 < 2 and 2 < 1", True),  # (or first: False)
        ("not 2 < 1 or 1 < 2", True),
        ("not 1 < 2 or 1 < 2", True),  # (or first: False)
        ("not 1 < 2 and 2 < 1", False),  # (and first: True)
        ("2 + 3 * 4 == 14", True),
        ("2 * 3 + 4 == 10", True),
        ("10 - 4 - 3 == 3", True),
        ("16 / 4 / 2 == 2", True),
        ("12 / 2 * 3 == 18", True),
        ("-2 + 3 == 1", True),
        ("-2 * 3 == -6", True),
        ("2 - -3 == 5", True),
        ("1 + 1 < 2 + 1", True),
        ("3 > 2 > 1", True),
        ("1 < 3 > 2", True),
        ("3 > 2 > 2", False),
        ("0.1 + 0.2 == 0.3", False),
        ("5% == 0.05 and 7% == 0.07 and 1.1 % == .011 and 2e1% == 20e-2", True),
        ("min(3, 1, 2) == 1 and max(3, 1, 2) == 3 and abs(-2) == 2", True),
    ],
)
def test_operators_bind_as_they_do_on_paper(text, expected):
    assert holds(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("correlation < 1", None),
        ("correlation == correlation", None),
        ("correlation != correlation", None),
        ("not correlation < 1", None),
        ("correlation < 1 or 1 < 2", True),
        ("correlation < 1 or 2 < 1", None),
        ("correlation < 1 and 1 < 2", None),
        ("correlation < 1 and 2 < 1", False),
        ("1 < correlation < 2", None),
        ("2 < 1 < correlation", False),
        ("0 * correlation == 0", None),
        ("abs(correlation) >= 0", None),
        ("min(1, correlation) < 2", None),
        ("max(correlation, 1) > 0", None),
        ("1 / 0 > 0", None),
        ("0 / 0 == 0", None),
        ("1 / 1e-320 > 1e308", True),
    ],
)
def test_what_cannot_be_said_stays_unknown_unless_the_rest_decides(text, expected):
    assert holds(text, correlation=NAN) is expected


def test_a_number_is_asked_for_once():
    asked = []

    def values(scope, key):
        asked.append((scope, key))
        return 1.0

    found = parse("a.last < 2 and b.last < 2 and a.last > 0 or difference.volatility < lead_p_value", KNOWN)
    assert found.holds(values) is True
    assert asked == [("a", "last"), ("b", "last"), ("difference", "volatility"), ("leadership", "lead_p_value")]
    assert found.names == tuple(asked)


def test_the_example_of_the_help_is_read():
    text = "correlation < 0.6 or abs(ratio_zscore) > 2 or lead_p_value < 0.05"
    assert holds(text, correlation=0.7, ratio_zscore=-2.1, lead_p_value=NAN) is True
    assert holds(text, correlation=0.7, ratio_zscore=-1.9, lead_p_value=0.3) is False
    assert str(parse(text, KNOWN)) == text


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at 1: the end, where a name or a number is needed"),
        ("   ", "at 4: the end, where a name or a number is needed"),
        ("3", "at 1: a number, where a condition is needed"),
        ("correlation", "at 1: a number, where a condition is needed"),
        ("correlation and 3", "at 1: a number, where a condition is needed"),
        ("1 < 2 and 3", "at 11: a number, where a condition is needed"),
        ("not correlation", "at 5: a number, where a condition is needed"),
        ("1 < (2 < 3)", "at 5: a condition, where a number is needed"),
        ("(2 < 3) < 1", "at 1: a condition, where a number is needed"),
        ("1 + not 2 < 3", "at 5: a condition, where a number is needed"),
        ("-(1 < 2) < 3", "at 2: a condition, where a number is needed"),
        ("max(1, 2 < 3) < 3", "at 8: a condition, where a number is needed"),
        ("correlation <", "at 14: the end, where a name or a number is needed"),
        ("correlation < > 1", "at 15: '>', where a name or a number is needed"),
        ("correlation 1", "at 13: '1', where an operator or the end is needed"),
        ("1 < 2)", "at 6: ')', where an operator or the end is needed"),
        ("(1 < 2", "at 7: the end, where ) is needed"),
        ("1 < 2 not", "at 7: 'not', where an operator or the end is needed"),
        ("+1 < 2", "at 1: '+', where a name or a number is needed"),
        ("1.2.3 < 2", "at 1: '1.2.3' is no number"),
        ("1 < 12abc", "at 5: '12abc' is no number"),
        ("1 < 1e", "at 5: '1e' is no number"),
        ("1 < .", "at 5: '.' is no number"),
        ("1 < 1e999", "at 5: too large a number"),
        ("abs < 1", "at 1: abs of nothing"),
        ("abs() < 1", "at 5: ')', where a name or a number is needed"),
        ("abs(1, 2) < 1", "at 1: abs of 2"),
        ("min(1) < 1", "at 1: min of 1"),
        ("max(1 2) < 1", "at 7: '2', where ) is needed"),
        ("max(1, 2 < 1", "at 8: a condition, where a number is needed"),
        ("max(1, 2", "at 9: the end, where ) is needed"),
        ("sqrt(4) < 3", "at 1: no function is called 'sqrt'"),
        ("correlation(1) < 3", "at 1: no function is called 'correlation'"),
        ("1 < 2; 1", "at 6: ';' has no meaning here"),
        ("__import__('os') == 1", 'at 12: "\'" has no meaning here'),
        ("correlation ** 2 < 1", "at 14: '*', where a name or a number is needed"),
        ("1 < é", "at 5: 'é' has no meaning here"),
        ("1 <\u00a02", "at 4: '\\xa0' has no meaning here"),
        ("1 < \uff11", "at 5: '\uff11' has no meaning here"),
        ("1\t< 2", "a condition with an invisible character: '1 < 2'"),
        ("1 < 2\n", "a condition with an invisible character: '1 < 2'"),
        ("1 < \u202e2", "a condition with an invisible character: '1 < \ufffd2'"),
    ],
)
def test_what_is_no_condition_is_refused_at_its_place(text, message):
    assert refusal(text).message == message


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (
            "volatility < 1",
            "at 1: volatility is said of each leg",
            "write a.volatility, b.volatility or difference.volatility",
        ),
        ("1 < last", "at 5: last is said of each leg", "write a.last or b.last"),
        ("difference.last < 1", "at 1: last is said of each leg, not of 'difference'", "write a.last or b.last"),
        ("A.last < 1", "at 1: last is said of each leg, not of 'A'", "write a.last"),
        ("a.correlation < 1", "at 1: correlation is said of the pair, not of 'a'", "write correlation"),
        ("pair.lead_p_value < 1", "at 1: lead_p_value is said of the leadership, not of 'pair'", "write lead_p_value"),
        ("a.b.last < 1", "at 1: last is said of each leg, not of 'a.b'", "write a.last or b.last"),
        ("corelation < 1", "at 1: no statistic is called 'corelation'", "write correlation; "),
        ("Correlation < 1", "at 1: no statistic is called 'Correlation'", "write correlation; "),
        ("b.volatilty < 1", "at 1: no statistic is called 'b.volatilty'", "write b.volatility; "),
        ("p_value < 1", "at 1: no statistic is called 'p_value'", "write lead_p_value; "),
        ("xyz < 1", "at 1: no statistic is called 'xyz'", "`pairwatch explain` lists them"),
        ("a. < 1", "at 1: no statistic is called 'a.'", "`pairwatch explain` lists them"),
        ("1 = 1", "at 3: '=' has no meaning here", "write =="),
        ("1 < 2 && 2 < 3", "at 7: '&' has no meaning here", "write and"),
        ("1 ≤ 2", "at 3: '≤' has no meaning here", "write <="),
        ("correlation", "at 1: a number, where a condition is needed", "compare it: correlation < 0.6"),
    ],
)
def test_a_refusal_says_what_to_write_instead(text, message, hint):
    found = refusal(text)
    assert found.message == message
    assert found.hint.startswith(hint)


@pytest.mark.parametrize(
    ("before", "after"),
    [("(", ")"), ("abs(", ")"), ("max(1, ", ")"), ("-", ""), ("1*(1+", ")")],
    ids=["parentheses", "functions", "later arguments", "signs", "sums in products"],
)
def test_numbers_nest_fifty_deep_and_no_deeper(before, after):
    assert holds(f"{before * DEEPEST}1{after * DEEPEST} > -100") is True
    assert "nested more than 50 deep" in refusal(f"{before * (DEEPEST + 1)}1{after * (DEEPEST + 1)} > 0").message


@pytest.mark.parametrize(
    ("before", "after"),
    [("(", ")"), ("not ", ""), ("1<2 or(", ")")],
    ids=["parentheses", "negations", "junctions"],
)
def test_conditions_nest_fifty_deep_and_no_deeper(before, after):
    assert holds(f"{before * DEEPEST}1<2{after * DEEPEST}") is True
    assert "nested more than 50 deep" in refusal(f"{before * (DEEPEST + 1)}1<2{after * (DEEPEST + 1)}").message


def test_the_deepest_condition_takes_half_of_the_usual_stack():
    text = "0<" + "1*(1+" * DEEPEST + "1" + ")" * DEEPEST
    depth, frame = 0, sys._getframe()
    while frame:
        depth, frame = depth + 1, frame.f_back
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(depth + 500)
    try:
        assert holds(text) is True
    finally:
        sys.setrecursionlimit(limit)


def test_brackets_side_by_side_do_not_nest():
    assert holds("+".join(["(1)"] * 100) + " == 100") is True
    assert holds("+".join(["-1"] * 100) + " == -100") is True


def test_a_chain_as_long_as_the_text_may_be_is_read():
    text = "1+" * 120 + "1==121"
    assert holds(text) is True
    assert len(parse(text, KNOWN).text) > 480


def test_a_text_is_at_most_a_thousand_characters():
    assert holds("1 < 2".ljust(LONGEST)) is True
    assert refusal("1 < 2".ljust(LONGEST + 1)).message == "a condition of 1,001 characters"


def test_a_text_that_is_too_long_when_normalised_is_refused():
    assert "when it is written out" in refusal("1<2 or " * 140 + "1<2").message


# ---------------------------------------------------------------- any text

VALID = [
    "correlation < 0.6 or abs(ratio_zscore) > 2 or lead_p_value < 5%",
    "not (0.2 < correlation <= 60 % and a.last / b.last != -1e-3)",
    "max(a.volatility, b.volatility, .3) - -difference.volatility * 2 >= 1 AND not not 1 == 2",
]
SNIPPETS = [
    *("and", "or", "NOT", "<", "<=", "==", "!=", "=", "+", "-", "*", "/", "(", ")", ",", "%", ".", "e", "&"),
    *("abs", "min(", "max(1,", "correlation", "ratio_zscore", "a.", "a.volatility", "last", "difference.last"),
    *("1", "0.6", ".5", "5%", "1e-3", "1e999", "9" * 400, "é", "\x00", "\u202e", "\ud800", "'", "\\", "{", "\n"),
]


def survives(text):
    try:
        found = parse(text, KNOWN)
    except UsageError as error:
        shown = f"{error.message} {error.hint}"
    else:
        shown = str(found)
        assert parse(shown, KNOWN) == found
        assert found.holds(lambda scope, key: 0.5) in (True, False, None)
    assert is_clean(shown)
    assert len(shown) <= LONGEST


@settings(max_examples=700)
@given(st.text(max_size=60) | st.text("0123456789.e%+-*/<>=!(), abcor", max_size=60))
@example("(" * 1000)
@example("-" * 1000)
@example("not " * 250)
@example("abs(" * 250)
@example("1 " * 500)
@example("1" + " " * 998)
@example("1e" + "9" * 998)
@example("1e-" + "9" * 995 + "% <1")
def test_any_text_is_a_condition_or_a_usage_error(text):
    survives(text)


@settings(max_examples=700)
@given(st.lists(st.sampled_from(SNIPPETS), max_size=25), st.sampled_from(["", " "]))
def test_any_mixture_of_pieces_is_a_condition_or_a_usage_error(found, blank):
    survives(blank.join(found))


@settings(max_examples=700)
@given(
    st.sampled_from(VALID),
    st.lists(st.tuples(st.integers(0, 80), st.integers(0, 3), st.sampled_from(SNIPPETS)), min_size=1, max_size=4),
)
def test_any_damaged_condition_is_a_condition_or_a_usage_error(text, damages):
    for at, cut, put in damages:
        place = at % (len(text) + 1)
        text = text[:place] + put + text[place + cut :]
    survives(text)


# ---------------------------------------------------------------- percentages of what is no fraction

BP = {("a", "volatility"): "bp", ("b", "volatility"): "bp"}


def counted(text, units=BP):
    """What a condition says of legs whose volatility is 30, and correlation .5, where that is in basis points."""
    values = lookup(a_volatility=30.0, b_volatility=30.0, difference_volatility=0.0, correlation=0.5)
    return parse(text, KNOWN).where_counted(units).holds(values)


@pytest.mark.parametrize(
    "text",
    [
        "a.volatility > 5%",
        "5% < a.volatility",
        "-a.volatility < -5%",
        "abs(a.volatility) > 5 %",
        "2 * a.volatility > 5%",
        "a.volatility / 2 > 5%",
        "a.volatility - b.volatility > 5%",
        "a.volatility - 5% > 1",
        "max(a.volatility, 5%) > 1",
        "1% < a.volatility < 50",
        "not a.volatility > 5%",
        "a.volatility > 5% or correlation > 0.9",
    ],
)
def test_basis_points_are_not_compared_with_a_percentage(text):
    assert counted(text) is None
    assert counted(text, {}) is not None


@pytest.mark.parametrize(
    "text",
    [
        "a.volatility > 5",
        "a.volatility > 0.05",
        "a.volatility > 5% or correlation > 40%",
        "correlation > 40% and a.volatility > 20",
        "a.volatility / b.volatility > 50%",
        "a.volatility > 90% * b.volatility",
        "difference.volatility < 5%",
        "lead_p_value < 5% or a.volatility > 20",
    ],
)
def test_everything_else_is_compared_as_ever(text):
    values = lookup(a_volatility=30.0, b_volatility=30.0, difference_volatility=0.0, correlation=0.5, lead_p_value=0.5)
    assert parse(text, KNOWN).where_counted(BP).holds(values) is True


def test_a_number_that_something_else_may_have_made_decides_nothing():
    doubts = {("leadership", "lead_p_value"): "the clocks", ("pair", "ratio_zscore"): "nothing"}
    values = lookup(lead_p_value=0.01, correlation=0.5)
    for text, expected in (
        ("lead_p_value < 0.05", None),
        ("lead_p_value > 0.05", None),
        ("not lead_p_value < 0.05", None),
        ("lead_p_value < 0.05 and correlation > 0.9", False),
        ("lead_p_value < 0.05 or correlation < 0.9", True),
        ("correlation < 0.9", True),
    ):
        found = parse(text, KNOWN)
        assert found.where_doubted(doubts).holds(values) is expected
        assert found.where_doubted({}).holds(values) is not None
        assert found.where_doubted(doubts) == found
    assert parse("lead_p_value < 5%", KNOWN).where_doubted(doubts).doubted == {
        ("leadership", "lead_p_value"): "the clocks"
    }


def test_a_condition_of_another_pair_is_not_changed():
    rule = parse("a.volatility > 5%", KNOWN)
    assert rule.where_counted(BP) == rule
    assert rule.where_counted(BP).text == "a.volatility > 0.05"
    assert rule.holds(lookup(a_volatility=30.0)) is True
    assert rule.where_counted(BP).counted == {("a", "volatility"): "bp"}
    assert rule.where_counted(BP).where_counted({}).holds(lookup(a_volatility=30.0)) is True
