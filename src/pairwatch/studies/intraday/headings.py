"""What the study of a lead within days says, section by section."""

from pairwatch.model import Column, Heading

_PERMUTED = (
    "by turning the signs of whole sessions, 1,999 times or in all ways (Romano 1990): under no lead a session is as "
    "likely as the same told backwards"
)

VERDICT = Heading(
    "verdict",
    "who leads within days",
    "Whether either leg leads the other by bars, or by seconds, of the same session; nothing bridges a night.",
    (
        Column("what", "", "text", "What it is."),
        Column(
            "value",
            "value",
            "unit",
            "Lags are positive where A leads. `asymmetry` is the D(k) that stands out most; `p_value` is the chance "
            f"of one so far out at any lag, judged {_PERMUTED}; `detectable` is the D found four times in five. `lag` "
            "is k with the sign of the leg whose |r| is larger, or of the other one where that is the reverse of a "
            "larger r(0); empty where a lead's resamples have it on both sides; of ticks the shift of the largest |U| "
            "(Hoffmann, Rosenbaum and Yoshida 2013) where it has that sign. `lead_lag_ratio` is the sum of r(k)^2 over "
            "k > 0 through that over k < 0 (Huth and Abergel 2014). `later` is the lag found in the first half of the "
            "sessions, judged alone in the second.",
        ),
        Column(
            "low",
            "from",
            "unit",
            "Where its interval begins: 95 %, of the Bayesian bootstrap over sessions; of a lag one step earlier.",
        ),
        Column("high", "to", "unit", "Where it ends; of a lag one step later, for between steps nothing is seen."),
        Column("unit", "", "text", "What it is counted in."),
    ),
)
LAGS = Heading(
    "lags",
    "correlation by lag",
    "Correlation of A's returns with B's that are so much later, of the same session.",
    (
        Column("shift", "B later by", "text", "How much later B's returns are; negative: A's are."),
        Column("lag", "lag", "count", "The same in bars, or in steps of the grid.", wide=True),
        Column(
            "r",
            "r",
            "number",
            "Of bars the mean product of standardised returns so far apart; of ticks the covariance of Hayashi and "
            "Yoshida (2005) with B's clock put back, through the root of both sums of squared returns.",
        ),
        Column("band", "within chance", "number", f"What |r| exceeds by chance at any lag but 0 in 5 %, {_PERMUTED}."),
        Column("beyond", "beyond", "text", "Whether |r| does."),
        Column("pairs", "pairs", "count", "How many pairs of bars it is made of.", wide=True),
    ),
)
ASYMMETRY = Heading(
    "asymmetry",
    "asymmetry by lag",
    "D(k) = r(k) - r(-k): what is left of the correlations when what both directions share is taken out.",
    (
        Column("shift", "lag", "text", "k, as time."),
        Column("lag", "k", "count", "k in bars, or in steps of the grid.", wide=True),
        Column("asymmetry", "D", "number", "D(k); above 0 where A is the earlier one, of legs that move alike."),
        Column("band", "within chance", "number", f"What |D| exceeds by chance at any lag in 5 %, {_PERMUTED}."),
        Column("beyond", "beyond", "text", "Whether |D| does."),
    ),
)
DATA = Heading(
    "data",
    "what it rests on",
    "Sessions, prices and returns.",
    (
        Column("what", "", "text", "What is counted."),
        Column("a", "A", "unit", "Of A."),
        Column("b", "B", "unit", "Of B."),
        Column("both", "both", "unit", "Of both: common sessions; common stamps; what the numbers are made of."),
        Column("unit", "", "text", "What it is counted in."),
    ),
)
HEADINGS = (VERDICT, LAGS, ASYMMETRY, DATA)
