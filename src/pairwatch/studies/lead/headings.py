"""What the study of a lead says: its sections and their columns."""

from pairwatch.model import Column, Heading

_LAG = "in bars; positive: A leads B, negative: B leads A"
_FLIPS = (
    "t is the sum of a[t] b[t+k] over the root of the sum of squared sums of blocks of 1.5 n^(1/3) days; the band is"
    " the 95 % point of the largest |t| of all lags over 999 random changes of the blocks' signs"
)

CORRELOGRAM = Heading(
    "correlogram",
    "correlation across time",
    "r(k), with a band that none of the lags but 0 leaves in 95 of 100 histories without correlation across time. What"
    " leaves it need not be a lead: a factor that both legs share and that is autocorrelated makes r(k) and r(-k)"
    " alike; see `asymmetry`.",
    (
        Column("lag", "lag", "lag", f"k, {_LAG}."),
        Column(
            "correlation",
            "r(k)",
            "number",
            "corr(a[t], b[t+k]) with the means and deviations of the whole history, sums divided by n (Box and Jenkins;"
            " statsmodels ccf(adjusted=False)).",
        ),
        Column(
            "band",
            "95% band +-",
            "number",
            f"Half the width of the band, all lags considered, whatever the sizes of the shocks: {_FLIPS}.",
        ),
        Column("outside", "outside", "text", "`yes` where r(k) leaves the band, else nothing."),
    ),
)

ASYMMETRY = Heading(
    "asymmetry",
    "asymmetry: what A's past says of B, less what B's past says of A",
    "D(k), with a band that no lag leaves in 95 of 100 histories in which neither leg leads.",
    (
        Column("lag", "k", "count", "k, in bars."),
        Column(
            "asymmetry",
            "D(k)",
            "number",
            "r(k) - r(-k). Zero for whatever the legs share at the same time, autocorrelated or not (Bennett, Cucuringu"
            " and Reinert 2022, arXiv:2201.08283).",
        ),
        Column("band", "95% band +-", "number", f"Half the width of the band, made as that of r(k): {_FLIPS}."),
        Column("outside", "outside", "text", "`yes` where D(k) leaves the band, else nothing."),
    ),
)

VERDICT = Heading(
    "verdict",
    "who leads",
    "The answer for the whole history (with --since, for what that leaves of it), and for the window as `compare` gives"
    " it. Neither what different closing times can make, nor what averages of periods can, is called a leader. Over the"
    " history none is named where the interval of the lag holds both sides.",
    (
        Column("span", "", "text", "Which returns: those of the whole history, or of the window."),
        Column("n", "n", "count", "How many returns."),
        Column(
            "lag",
            "lag",
            "lag",
            f"The leader's, {_LAG}; empty where none is named.",
        ),
        Column(
            "lag_low",
            "low",
            "lag",
            "The lower end of the 95 % interval of that lag: 2.5 % of 999 histories made of randomly drawn blocks of"
            " 1.5 n^(1/3) days, each day with its products with the days after it, have a lower one (Carlstein 1986;"
            " Künsch 1989). It covers the lag more often than in 95 of 100.",
            wide=True,
        ),
        Column("lag_high", "high", "lag", "The upper end of that interval.", wide=True),
        Column(
            "strength",
            "strength",
            "number",
            "The best candidate's lead, in units of r: what its past says of the other leg beyond its own day's part in"
            " it, (S+ - r^2 S-) / (1 + r^4) with S+ the sum of x[t] (y[t+k] - r x[t+k]) / n and S- the same with the"
            " legs exchanged; negative where the other leg follows in the opposite direction.",
        ),
        Column(
            "asymmetry",
            "D",
            "number",
            "r(|k|) - r(-|k|) at the best candidate's lag k. It is positive where A leads with a positive strength, and"
            " where B leads with a negative one.",
        ),
        Column(
            "p_value",
            "p",
            "probability",
            "Of so strong a candidate where neither leads, all lags considered. Whole history: of the largest t of D,"
            " as in `asymmetry`. Window: 1,999 joint permutations of the days (`lead_p_value`). Over thousands of days"
            " the window's test would name what a shared autocorrelated factor does.",
        ),
        Column("leader", "leader", "text", "Who leads; `none`, or `no verdict` where it cannot be said who."),
        Column(
            "candidate",
            "candidate",
            "lag",
            f"The lag of the best candidate, leader or not, {_LAG}: in the whole history where D stands out most from"
            " its noise, in the window where the lead is estimated strongest (`lead_lag`). Its side is that of the"
            " stronger estimate, with a lean towards a lead with the sign of r(0); D alone would call a leg that leads"
            " in the opposite direction the one that follows.",
            wide=True,
        ),
        Column("candidate_low", "low", "lag", "The lower end of the 95 % interval of that lag.", wide=True),
        Column("candidate_high", "high", "lag", "The upper end of that interval.", wide=True),
        Column("lag_share", "share", "fraction", "The share of those histories that have this very lag.", wide=True),
        Column(
            "detectable",
            "detectable",
            "number",
            "The lead, in units of r, that is called a leader four times in five. Whole history: by the power of the"
            " noncentral t (Johnson and Welch 1940) for the blocks that D is judged by.",
            wide=True,
        ),
        Column("verdict", "verdict", "text", "The answer in words.", wide=True),
    ),
)

ROLLING = Heading(
    "rolling",
    "windows with a verdict",
    "The test of `compare` in windows that roll through the history from its first bar on, and what chance alone would"
    " name. Of simulated pairs without a lead it names one in 4 to 7 % of windows of 61 bars, and in 2 to 8 % of those"
    " of 252. A factor with a memory that both legs share makes either a leader more often than chance does, but"
    " neither more often than the other. Windows in which a leg does not move are not counted.",
    (
        Column("leader", "", "text", "Who leads by the window's verdict (p < 5 %, all lags considered)."),
        Column("windows", "windows", "count", "How many windows."),
        Column("share", "share", "fraction", "Their share of all windows."),
        Column(
            "expected",
            "by chance",
            "fraction",
            "The share in histories whose days have been put into another order, each by up to a window's length. Every"
            " window's p is its place among the windows of those that lie before its own end, in units of the 5 % point"
            " for its own r(0); of the first 40 windows among other orders of their own days, too. So nothing that came"
            " after a window changes its verdict; what chance names is counted over the whole history.",
        ),
        Column(
            "expected_low",
            "low",
            "fraction",
            "2.5 % of histories without a lead have a lower share: 999 histories put together of runs of those windows,"
            " each run four times as long as windows overlap.",
        ),
        Column("expected_high", "high", "fraction", "2.5 % of histories without a lead have a higher share."),
    ),
)

EPISODES = Heading(
    "episodes",
    "episodes of a leader",
    "Windows in a row whose verdict names the same leader. A few are chance: see `rolling`. An episode stays as it is"
    " while the history grows; only the last one may still go on.",
    (
        Column("since", "from", "date", "The first return of the first window."),
        Column("until", "to", "date", "The last return of the last window."),
        Column("leader", "leader", "text", "Who leads."),
        Column("windows", "windows", "count", "How many windows in a row."),
        Column("bars", "bars", "count", "How many returns they cover."),
        Column("lag", "lag", "lag", f"The lag of the window that is surest, {_LAG}."),
        Column(
            "strength",
            "strength",
            "number",
            "Its estimate there, in units of r: what the leader's past says of the other beyond the leader's own day.",
        ),
        Column(
            "p_value",
            "p",
            "probability",
            "Of the surest window alone, all lags considered, beside reordered windows of the days up to its own end.",
        ),
    ),
)

GRANGER = Heading(
    "granger",
    "Granger's test",
    "Whether one leg's past predicts the other beyond the other's own past. A shared factor with a memory makes each"
    " leg predict the other: that is no lead, and `verdict` does not call it one.",
    (
        Column("direction", "", "text", "Whose past, and whom it is to predict."),
        Column(
            "lags",
            "lags",
            "count",
            "The order of the vector autoregression of both that the BIC prefers, from 1 to L (Schwarz 1978); with the"
            " AIC the test names too many, 8 to 12 % for 5 %.",
        ),
        Column(
            "wald",
            "F, robust",
            "number",
            "Wald's statistic over the lags, with the covariance HC3 (MacKinnon and White 1985).",
        ),
        Column("p_value", "p", "probability", "Of that statistic, by F; holds where volatility comes in clusters."),
        Column("f", "F, plain", "number", "Granger (1969): statsmodels' ssr_ftest.", wide=True),
        Column(
            "f_p_value",
            "p, plain",
            "probability",
            "Of the plain F: too small where both legs share their volatility, up to 30 % for 5 % in long histories.",
            wide=True,
        ),
        Column("n", "n", "count", "Rows of the regression."),
    ),
)

HALVES = Heading(
    "halves",
    "out of sample",
    "The best candidate of one half of the history, tested on the other at that lag, side and sign alone. R2 asks, as"
    " Granger's test does, whether a leg's past helps to predict: a shared factor with a memory makes it do so, too. D"
    " is zero there.",
    (
        Column("found_in", "found in", "text", "Where it was looked for; the other half is where it was tested."),
        Column("lag", "lag", "lag", f"The candidate, {_LAG}."),
        Column("asymmetry", "D there", "number", "r(|lag|) - r(-|lag|) in the half where it is tested."),
        Column(
            "p_value",
            "p",
            "probability",
            "One-sided, of zero against the sign found: Student's t of the sums of blocks of 1.5 n^(1/3) days.",
        ),
        Column(
            "r_squared",
            "R2",
            "fraction",
            "1 - squared errors / those without the leader's past, of forecasts of the other leg from its bar before"
            " and the leader's bar that many before, fitted in one half, made in the other (Campbell and"
            " Thompson 2008).",
        ),
        Column(
            "r_squared_p",
            "p of R2",
            "probability",
            "One-sided, of no gain in the population (Clark and West 2007). A gain is no lead where both legs share a"
            " factor with a memory.",
        ),
        Column("n", "n", "count", "Returns of the half where it is tested."),
    ),
)

HEADINGS = (VERDICT, CORRELOGRAM, ASYMMETRY, ROLLING, EPISODES, GRANGER, HALVES)
