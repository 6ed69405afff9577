"""What the study of correlation says: its sections and their columns."""

from pairwatch.model import Column, Heading

_INTERVAL = (
    "tanh(atanh(r) -+ t s), s from leaving each return out in turn (the jackknife), times what neighbouring bars add"
    " (Newey and West 1994), t with 4 n / (kurtosis - 1) degrees of freedom, at least 10"
)
_DATES = (
    "one of all days that take off nearly as much, each side by its own variance (Eo and Morley 2015, the likelihood"
    " ratio's set)"
)
_R = Column("r", "r", "number", "Pearson's correlation of the returns.")
_LOW = Column("low", "low", "number", f"The lower end of the 95 % interval of r: {_INTERVAL}.")
_HIGH = Column("high", "high", "number", "The upper end of the 95 % interval of r, made as the lower one.")
_N = Column("n", "n", "count", "How many common returns it rests on.")

NOW = Heading(
    "now",
    "correlation now",
    "The correlation of the last returns, and where it lies among all windows of the same length up to today.",
    (
        Column("window", "over the last", "text", "Which returns."),
        _R,
        _LOW,
        _HIGH,
        _N._replace(meaning="Returns in the window; of weights that fall off, (1 + l) / (1 - l)."),
        Column(
            "percentile",
            "percentile",
            "percentile",
            "The share of all windows of the same length in the pair's history that had a lower r, half of the equal"
            " ones; today's is one of them. Said from three windows that do not overlap.",
        ),
        Column(
            "windows",
            "separate windows",
            "count",
            "How many windows that do not overlap the history has, which is what the percentile rests on: returns / n.",
        ),
        Column("lowest", "lowest", "number", "The lowest r of any window of the same length.", wide=True),
        Column("median", "median", "number", "The median r of all windows of the same length.", wide=True),
        Column("highest", "highest", "number", "The highest r of any window of the same length.", wide=True),
    ),
)

REGIMES = Heading(
    "regimes",
    "correlation by regime",
    "The correlation of the returns of some days. Days are chosen by what was known the day before, but for up and"
    " down days, which are chosen by that day's own return: that alone changes a correlation.",
    (
        Column("regime", "regime", "text", "Which days."),
        _N,
        _R,
        _LOW,
        _HIGH,
        Column(
            "expected",
            "expected",
            "number",
            "What the choice of days alone makes of the whole history's r, if the relation is always the same: (r - p"
            " q (1 - v)) / sqrt((1 - p^2 (1 - v)) (1 - q^2 (1 - v))), p and q the legs' correlations with the leg that"
            " chooses. Up and down days: v is the variance of that part of a normal variable. Drawdown: v is the"
            " variance of the leg that chooses on those days over its variance on all. Regimes of volatility: the same"
            " of the leg of --benchmark, which thereby changes this number; without --benchmark the mean of what A and"
            " B give. Fat tails alone make r on up and down days somewhat higher than that. Boyer, Gibson and Loretan"
            " (1999); Longin and Solnik (2001).",
        ),
        Column(
            "p",
            "p",
            "probability",
            "In the first row of a split, of all its rows: of correlations so unlike, if they are equal: Welch's test"
            " of atanh(r). It is of what is"
            " measured: legs whose own volatilities part company correlate less in turmoil, whatever links them.",
        ),
        Column(
            "adjusted",
            "adjusted",
            "number",
            "r as it would be at the whole history's variance: r / sqrt(1 + d (1 - r^2)), d the excess of the variance"
            " on those days, the geometric mean of both legs' or the chosen leg's. Forbes and Rigobon (2002).",
            wide=True,
        ),
        Column("split", "split", "text", "Which regimes are tested together.", wide=True),
    ),
)

YEARS = Heading(
    "years",
    "correlation by calendar year",
    "The correlation of the returns dated in each year.",
    (
        Column("year", "year", "text", "The year; all: the whole history, years of few returns included."),
        _N,
        _R,
        _LOW,
        _HIGH,
        Column(
            "p",
            "p",
            "probability",
            "In the last row, of all years: of years so unlike, if their correlations are equal: chi-squared of sum"
            " n(i) (mean of the year's influences - mean of all)^2 / v, of standardised returns and their influences"
            " as in the break's test, v over a third of a year, at most 80 lags; needs 100 returns. Where the"
            " volatilities of what the legs share and of their own cluster, each by itself, 9 to 20 % of histories"
            " have p .05.",
        ),
    ),
)

BREAKDOWNS = Heading(
    "breakdowns",
    "breakdowns",
    "Episodes in which the rolling correlation was far weaker than all of its own past.",
    (
        Column(
            "begin",
            "begin",
            "date",
            "The first day on which atanh(r) of the rolling window is more than 2.5 standard deviations of all its"
            " earlier values nearer to zero than their mean, or beyond zero. There must be eight windows of past.",
        ),
        Column("end", "end", "date", "The first day on which it is back at the mean of its past; none: not yet."),
        Column("bars", "bars", "count", "Bars from begin to end, or to today."),
        Column("usual", "usual", "number", "tanh of the mean of the past on the first day."),
        Column(
            "weakest", "weakest", "number", "The rolling r nearest to zero, or farthest beyond it, within the episode."
        ),
        Column("on", "on", "date", "The day of the weakest."),
        Column(
            "p_deep",
            "p depth",
            "probability",
            "The share of resampled histories of constant correlation that have any episode as deep, in deviations of"
            " its past; (1 + count) / (1 + histories). Both legs' returns over the volatility known the day before"
            " (decay .94, of months .97) are drawn together in blocks of 10 bars and given each leg's true volatility.",
        ),
        Column("p_long", "p length", "probability", "The share that have any episode as long."),
        Column(
            "deviations",
            "deviations",
            "number",
            "How far from the mean of its past atanh(r) was at most, in deviations of that past: not always on the day"
            " of the weakest, for the past grows.",
            wide=True,
        ),
        Column("recovery", "recovery", "count", "Bars from the weakest to the end.", wide=True),
    ),
)

BREAK = Heading(
    "break",
    "structural break",
    "Whether the correlation was the same throughout, and when it changed most.",
    (
        Column(
            "returns",
            "returns",
            "text",
            "Standardised: over the volatility known the day before (decay .94, of months .97) and bounded at 2.5"
            " deviations, so that neither a turbulent stretch nor one day passes for a break; these are tested. Or as"
            " they are.",
        ),
        Column(
            "day",
            "day",
            "date",
            "The first return after the strongest change, by least squares: that which takes most off the influences'"
            " sum of squares, at least 60 bars, or a quarter of a short history, from either end.",
        ),
        Column(
            "earliest", "earliest", "date", f"The change lies from here on, at 95 % or more, if there is one: {_DATES}."
        ),
        Column("latest", "latest", "date", f"The change lies up to here, at 95 % or more, if there is one: {_DATES}."),
        Column("before", "before", "number", "Their correlation before the day."),
        Column("after", "after", "number", "Their correlation from the day on."),
        Column(
            "p",
            "p",
            "probability",
            "Of so strong a change, if there is none: simulated for as many values and lags (Andrews 1993 gives the"
            " limit). It is of what is"
            " measured: where the volatilities of what the legs share and of their own part company, r changes though"
            " nothing that links them does. Of histories in which these only cluster, each by itself, 12 to 18 %"
            " have p .05 from 1,000 returns on, 21 to 30 % of 250 or 500.",
        ),
        Column(
            "statistic",
            "T",
            "number",
            "max over j of sqrt(n S(j)^2 / (j (n - j)) / v), S(j) the sum of the first j influences, v the long-run"
            " variance of what the strongest change leaves of them (Bartlett's weights, n / 12 lags, at most 125)."
            " Influences as Wied, Kraemer and Dehling (2012) have them: x y - r (x^2 + y^2) / 2.",
            wide=True,
        ),
    ),
)

FACTOR = Heading(
    "factor",
    "beside the factor",
    "What is left of the correlation when what a third leg explains is taken out of both.",
    (
        Column("what", "", "text", "What it is."),
        Column("value", "value", "unit", "Its value."),
        Column(
            "low",
            "low",
            "unit",
            f"The lower end of its 95 % interval: of correlations {_INTERVAL}; of the half-life Stock's (1991).",
        ),
        Column("high", "high", "unit", "The upper end of its 95 % interval; none where it may never return."),
        Column("unit", "", "text", "What the value is counted in."),
        Column("percentile", "percentile", "percentile", "Where it lies among all windows of the same length."),
        Column(
            "p",
            "p",
            "probability",
            "Of the augmented Dickey-Fuller test of the spread of their own, if it never returns: lags by the AIC,"
            " errors that hold under changing volatility (HC3).",
        ),
        Column("n", "n", "count", "How many returns it rests on.", wide=True),
    ),
)

HEADINGS = (NOW, REGIMES, YEARS, BREAKDOWNS, BREAK, FACTOR)
