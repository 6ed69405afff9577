# What R says of the pairs beside this file: references for tests/references/test_references.py.
#
#     Rscript references.R          writes references.csv anew, beside this file
#     Rscript references.R FILE     writes FILE
#
# Of Debian: r-base-core r-cran-urca r-cran-tseries r-cran-strucchange r-cran-lmtest r-cran-sandwich r-cran-zoo.
#
# A row is a group, a name within it, and a number with all its digits. Wherever a package has a function for it that
# function is what is asked; where it has none the definition is written out with R's own lm, cor, cancor or prcomp.
# Of the lead test and of a correlation's influences R knows nothing: these two check the arithmetic, not the idea.
#
# Left out: tseries' adf.test, which always has a trend that ours has not, and its po.test, whose Z is not a t.

packages <- c("urca", "tseries", "strucchange", "lmtest", "sandwich", "zoo")
suppressPackageStartupMessages(for (one in packages) library(one, character.only = TRUE))

script <- sub("^--file=", "", grep("^--file=", commandArgs(FALSE), value = TRUE)[1])
folder <- dirname(normalizePath(script))
target <- c(commandArgs(TRUE), file.path(folder, "references.csv"))[1]

rows <- "group,name,value"
say <- function(group, name, value) {
  number <- if (is.character(value)) value else sprintf("%.17g", as.numeric(value))
  rows <<- c(rows, paste(group, name, number, sep = ","))
}
say_all <- function(group, name, values) for (key in names(values)) say(group, paste0(name, "/", key), values[[key]])

pairs <- c("cointegrated", "unrelated", "leading", "autoregressive", "broken")
series <- sapply(pairs, function(name) read.csv(file.path(folder, paste0(name, ".csv"))), simplify = FALSE)
levels_of <- c("cointegrated", "unrelated", "autoregressive")  # the others are returns
returns_of <- c("leading", "broken")

say("version", "R", as.character(getRversion()))
for (one in packages) say("version", one, as.character(packageVersion(one)))

# ---------------------------------------------------------------- distributions and order statistics

for (df in c(1, 3, 10, 61, 6600)) for (t in c(1e-6, 0.5, 1.5, 2.5, 8))
  say("t_tail", paste(t, df, sep = "/"), pt(t, df, lower.tail = FALSE))
for (df in c(1, 3, 10, 61, 6600)) for (p in c(0.6, 0.95, 0.975, 0.9995))
  say("t_quantile", paste(p, df, sep = "/"), qt(p, df))
for (df in c(1, 2, 5, 24)) for (x in c(0.01, 1, 4, 30, 90))
  say("chi2_tail", paste(x, df, sep = "/"), pchisq(x, df, lower.tail = FALSE))
for (df in c(1, 2, 5)) for (df2 in c(10, 300)) for (x in c(0.01, 0.8, 2.5, 12))
  say("f_tail", paste(x, df, df2, sep = "/"), pf(x, df, df2, lower.tail = FALSE))
for (z in c(-3, 0, 1.5, 6, 12)) say("normal_tail", z, pnorm(z, lower.tail = FALSE))
for (p in c(1e-9, 0.025, 0.4, 0.5, 0.9, 0.999)) say("normal_quantile", p, qnorm(p))
# The variance of a normal variable above a quantile, by integration.
for (share in c(0.05, 1 / 3, 0.5)) {
  cut <- qnorm(share, lower.tail = FALSE)
  moment <- function(k) integrate(function(x) x^k * dnorm(x), cut, 40, rel.tol = 1e-12)$value / share
  say("half_normal", sprintf("%.17g", share), moment(2) - moment(1)^2)
}
for (p in c(0.01, 0.1, 0.5, 0.777)) say("quantile", p, quantile(series$broken$a, p, type = 7))

# ---------------------------------------------------------------- two legs at once

for (name in pairs) {
  a <- series[[name]]$a
  b <- series[[name]]$b
  # R's ccf(x, y) at lag k is the correlation of x[t + k] with y[t]; with b first, k > 0 means that a leads.
  both <- ccf(b, a, lag.max = 10, plot = FALSE)
  for (i in seq_along(both$lag)) say("ccf", paste(name, both$lag[i], sep = "/"), both$acf[i])

  say("correlation", name, cor.test(a, b)$estimate)
  say("rank_correlation", name, cor.test(a, b, method = "spearman", exact = FALSE)$estimate)
  say("deviation_ratio", name, sqrt(var.test(a, b)$estimate))

  axis <- prcomp(cbind(a, b))
  slope <- axis$rotation[2, 1] / axis$rotation[1, 1]
  say_all("orthogonal", name, c(slope = slope, intercept = axis$center[[2]] - slope * axis$center[[1]]))

  fit <- lm(b ~ a)
  say_all("line", name, list(intercept = coef(fit)[1], slope = coef(fit)[2],
    intercept_error = sqrt(vcov(fit)[1, 1]), slope_error = sqrt(vcov(fit)[2, 2]),
    hc3_intercept_error = sqrt(vcovHC(fit, type = "HC3")[1, 1]),
    hc3_slope_error = sqrt(vcovHC(fit, type = "HC3")[2, 2])))

  # Each window's correlation, rank correlation and line, every 40th window of 60.
  windows <- function(f) zoo::rollapply(cbind(a, b), 60, f, by = 40, by.column = FALSE)
  rolled <- cbind(
    r = windows(function(w) cor(w[, 1], w[, 2])),
    rank = windows(function(w) cor(w[, 1], w[, 2], method = "spearman")),
    slope = windows(function(w) coef(lm(w[, 2] ~ w[, 1]))[[2]]),
    left = windows(function(w) residuals(lm(w[, 2] ~ w[, 1]))[[60]]))
  for (i in seq_len(nrow(rolled))) say_all("rolling", paste(name, 40 * (i - 1), sep = "/"), as.list(rolled[i, ]))
  for (n in c(30, 100, length(a))) say("expanding_slope", paste(name, n, sep = "/"), coef(lm(b[1:n] ~ a[1:n]))[[2]])
}

# ---------------------------------------------------------------- unit roots

schwert <- function(n, fixed) max(0, min(ceiling(12 * (n / 100)^0.25), n %/% 2 - fixed - 1))
few <- function(n) max(0, min(ceiling(4 * (n / 100)^0.25), n %/% 8 - 1))

augmented <- function(x, lags, constant) {
  changes <- embed(diff(x), lags + 1)
  data <- data.frame(change = changes[, 1], level = x[(lags + 1):(length(x) - 1)])
  if (lags) data <- cbind(data, past = I(changes[, -1, drop = FALSE]))
  terms <- c("level", if (lags) "past", if (!constant) "0")
  lm(reformulate(terms, "change"), data)
}

# ur.df's own choice never looks at no lags at all, and fits its last regression to the rows of its first. So the lags
# are chosen here, by R's AIC of regressions on the same rows, and ur.df is told of them.
chosen_lags <- function(x, most, constant) {
  change <- embed(diff(x), most + 1)
  level <- x[(most + 1):(length(x) - 1)]
  aic <- sapply(0:most, function(p) {
    design <- cbind(level, if (constant) rep(1, length(level)), if (p) change[, 2:(p + 1)])
    AIC(lm(change[, 1] ~ 0 + design))
  })
  which.min(aic) - 1
}

dickey_fuller <- function(x, constant, most = schwert(length(x), constant)) {
  lags <- chosen_lags(x, most, constant)
  test <- ur.df(x, type = if (constant) "drift" else "none", lags = lags, selectlags = "Fixed")
  fit <- augmented(x, lags, constant)
  at <- match("level", names(coef(fit)))
  past <- setdiff(seq_along(coef(fit)), c(at, match("(Intercept)", names(coef(fit)))))
  found <- list(t = test@teststat[1, 1], lags = lags, nobs = length(residuals(fit)), share = 1 - sum(coef(fit)[past]))
  for (kind in c("plain", "hc3")) {
    v <- if (kind == "plain") vcov(fit) else vcovHC(fit, type = "HC3")
    found[[paste0(kind, "_error")]] <- sqrt(v[at, at])
    found[[paste0(kind, "_share_error")]] <- sqrt(sum(v[past, past]))
    found[[paste0(kind, "_together")]] <- -sum(v[at, past])
  }
  found$hc3_t <- coeftest(fit, vcov. = vcovHC(fit, type = "HC3"))[at, "t value"]
  found
}

for (name in levels_of) for (leg in c("a", "b")) {
  x <- series[[name]][[leg]]
  key <- paste(name, leg, sep = "/")
  say_all("dickey_fuller", paste0(key, "/constant"), dickey_fuller(x, TRUE))
  say_all("dickey_fuller", paste0(key, "/few"), dickey_fuller(x, TRUE, few(length(x) - 1)))
  say_all("dickey_fuller", paste0(key, "/none"), dickey_fuller(x - mean(x), FALSE))
  say("reversion_t", key, ur.df(x, type = "drift", lags = 0)@teststat[1, 1])
  # An autoregression of the levels is that of the changes on the levels; least squares have it exactly, the
  # conditional sum of squares as far as its optimiser goes.
  rho <- c(ols = ar.ols(x, aic = FALSE, order.max = 1, demean = FALSE, intercept = TRUE)$ar[1],
    css = arima(x, c(1, 0, 0), method = "CSS", optim.control = list(reltol = 1e-12, maxit = 1000))$coef[["ar1"]])
  say_all("half_life", key, as.list(log(0.5) / log(rho)))
}

# A walk that remembers what was 18 bars ago, which is the most that is looked at.
x <- series$unrelated$a
say_all("dickey_fuller", "unrelated/a/echo", dickey_fuller(x[19:500] + 0.7 * x[1:482], TRUE))

# MacKinnon's (1996) distribution, from simulations later than the approximation of 1994 that ours is.
for (t in c(-5, -4, -3.5, -3, -2.86, -2.5, -2, -1.5, -1, -0.5, 0, 0.5)) say("unit_root_p", t, punitroot(t, trend = "c"))
for (n in c(61, 250, 1000)) say("unit_root_point", n, qunitroot(0.05, N = n, trend = "c"))
for (p in c(0.025, 0.5, 0.975)) say("unit_root_quantile", p, qunitroot(p, trend = "c"))

# ---------------------------------------------------------------- cointegration

for (name in levels_of) for (direction in c("a_on_b", "b_on_a")) {
  y <- series[[name]][[substr(direction, 1, 1)]]
  x <- series[[name]][[substr(direction, 6, 6)]]
  line <- lm(y ~ x)
  test <- dickey_fuller(residuals(line), FALSE)
  say_all("engle_granger", paste(name, direction, sep = "/"), list(intercept = coef(line)[1], slope = coef(line)[2],
    unexplained = 1 - summary(line)$r.squared, t = test$t, hc3_t = test$hc3_t, lags = test$lags))
}

trace_of <- function(steps, before) {
  # Without lags: the canonical correlations of the changes with the levels before, a constant taken out of both.
  rho2 <- cancor(steps, before)$cor^2
  -nrow(steps) * rev(cumsum(rev(log(1 - rho2))))
}
for (name in levels_of) {
  x <- as.matrix(series[[name]])
  n <- nrow(x)
  without <- trace_of(diff(x), x[-n, ])
  say_all("johansen", paste0(name, "/0"), list(trace_0 = without[1], trace_1 = without[2]))
  for (lags in 1:3) {
    # "none" is a constant in the model and none in the relation; K counts the levels' lags, one more than the changes'.
    test <- ca.jo(x, type = "trace", ecdet = "none", K = lags + 1, spec = "transitory")
    eigen <- ca.jo(x, type = "eigen", ecdet = "none", K = lags + 1, spec = "transitory")
    say_all("johansen", paste(name, lags, sep = "/"), list(trace_0 = test@teststat[2], trace_1 = test@teststat[1],
      eigen_0 = eigen@teststat[2], eigen_1 = eigen@teststat[1], value_0 = test@lambda[1], value_1 = test@lambda[2],
      vector = test@V[2, 1]))
    # What the likelihood ratio loses where the one vector is a leg alone: blrtest asks that this be the first.
    for (leg in 1:2) {
      ordered <- ca.jo(x[, c(leg, 3 - leg)], type = "trace", ecdet = "none", K = lags + 1, spec = "transitory")
      lost <- blrtest(ordered, H = matrix(c(1, 0)), r = 1)@teststat
      say("johansen", paste(name, lags, paste0("lone_", leg - 1), sep = "/"), lost)
    }
  }
  most <- few(n - 1)
  changes <- embed(diff(x), most + 1)
  rows_of <- nrow(changes)
  aic <- sapply(0:most, function(p) {
    left <- residuals(if (p) lm(changes[, 1:2] ~ changes[, 3:(2 + 2 * p)]) else lm(changes[, 1:2] ~ 1))
    rows_of * log(det(crossprod(left) / rows_of)) + 2 * 4 * p
  })
  say("johansen_lags", name, which.min(aic) - 1)

}
# The wild bootstrap by its definition: walks of the shocks, a common sign for each bar. Of whole series, and of the
# first bars of one that is cointegrated, which do not say so for certain.
bootstrapped <- function(x, lags) {
  changes <- embed(diff(x), lags + 1)
  shocks <- residuals(if (lags) lm(changes[, 1:2] ~ changes[, -(1:2)]) else lm(changes[, 1:2] ~ 1))
  value <- if (lags) ca.jo(x, type = "trace", ecdet = "none", K = lags + 1)@teststat[2] else
    trace_of(diff(x), x[-nrow(x), ])[1]
  set.seed(1)
  drawn <- replicate(999, {
    steps <- shocks * sample(c(-1, 1), nrow(shocks), TRUE)
    trace_of(steps, rbind(0, apply(steps, 2, cumsum))[seq_len(nrow(steps)), ])[1]
  })
  mean(c(TRUE, drawn >= value))
}
for (case in list(list("cointegrated", 60, 1), list("cointegrated", 90, 1), list("unrelated", 500, 0),
  list("unrelated", 500, 2), list("autoregressive", 300, 3)))
  say("johansen_p", paste(case, collapse = "/"), bootstrapped(as.matrix(series[[case[[1]]]])[1:case[[2]], ], case[[3]]))
# Osterwald-Lenum's (1992) 95 % points for series without a drift: at most one vector, none.
points <- ca.jo(as.matrix(series$unrelated), type = "trace", ecdet = "none", K = 2)@cval[, "5pct"]
say_all("johansen_points", "5", list(none = points[[2]], one = points[[1]]))

# ---------------------------------------------------------------- whether one's past tells of the other

hc3 <- function(fit) vcovHC(fit, type = "HC3")
for (name in c("leading", "autoregressive", "broken")) for (direction in c("a_on_b", "b_on_a")) for (order in c(1, 2, 5)) {
  y <- series[[name]][[substr(direction, 1, 1)]]
  x <- series[[name]][[substr(direction, 6, 6)]]
  plain <- grangertest(x, y, order = order)
  robust <- grangertest(x, y, order = order, vcov = hc3)
  say_all("granger", paste(name, direction, order, sep = "/"), list(f = plain$F[2], p = plain[["Pr(>F)"]][2],
    hc3_f = robust$F[2], hc3_p = robust[["Pr(>F)"]][2]))
}
for (name in pairs) {
  x <- embed(as.matrix(series[[name]]), 6)
  bic <- sapply(1:5, function(p) {
    left <- residuals(lm(x[, 1:2] ~ x[, 3:(2 + 2 * p)]))
    log(det(crossprod(left) / nrow(x))) + log(nrow(x)) * 2 * (2 * p + 1) / nrow(x)
  })
  say("order", name, which.min(bic))
}
# A forecast of b from its own yesterday, and from that and a two bars before, fitted to the first half.
lagging <- with(series$leading, data.frame(y = b[-(1:2)], own = b[2:399], other = a[1:398]))
fitted_on <- lagging[1:198, ]  # 200 bars
tested_on <- lagging[201:398, ]
first <- predict(lm(y ~ own, fitted_on), tested_on)
second <- predict(lm(y ~ own + other, fitted_on), tested_on)
e <- tested_on$y - first
u <- tested_on$y - second
adjusted <- e^2 - u^2 + (first - second)^2  # Clark and West (2007)
block_sums <- function(x) {
  size <- ceiling(1.5 * length(x)^(1 / 3))
  as.vector(tapply(x, (seq_along(x) - 1) %/% size, sum))
}
say_all("forecast", "leading", list(r_squared = 1 - sum(u^2) / sum(e^2),
  p = t.test(block_sums(adjusted), alternative = "greater")$p.value))

# ---------------------------------------------------------------- who leads

z <- function(x) (x - mean(x)) / sqrt(mean((x - mean(x))^2))
for (name in returns_of) {
  a <- z(series[[name]]$a)
  b <- z(series[[name]]$b)
  n <- length(a)
  for (k in c(1, 2, 3)) {
    terms <- c(a[1:(n - k)] * b[(1 + k):n] - b[1:(n - k)] * a[(1 + k):n], rep(0, k))
    test <- t.test(block_sums(terms), alternative = "greater")
    say_all("asymmetry", paste(name, k, sep = "/"), list(value = mean(terms), p = test$p.value,
      error = test$stderr * length(block_sums(terms)) / n))
  }
}
# The test by its definition: which side's past says most of the other's news, over noise, on permuted dates.
strongest <- function(a, b, lags) {
  n <- length(a)
  rho <- mean(a * b)
  ahead <- function(x, y, k) sum(x[1:(n - k)] * y[(1 + k):n])
  sums <- sapply(1:lags, function(k) c(ahead(a, b - rho * a, k), ahead(b, a - rho * b, k),
    ahead(a^2 + b^2, (b - rho * a)^2 + (a - rho * b)^2, k)))
  lead <- rbind(sums[1, ] - rho^2 * sums[2, ], sums[2, ] - rho^2 * sums[1, ]) / (n * (1 + rho^4))
  list(most = max(abs(lead)) / sqrt(mean(sums[3, ])), at = which.max(apply(abs(lead), 2, max)))
}
for (case in list(list("leading", 50), list("leading", 90), list("leading", 400), list("broken", 600))) {
  a <- z(series[[case[[1]]]]$a[1:case[[2]]])
  b <- z(series[[case[[1]]]]$b[1:case[[2]]])
  found <- strongest(a, b, 5)
  correlations <- ccf(b, a, lag.max = 5, plot = FALSE)$acf
  set.seed(2)
  drawn <- replicate(999, {
    order <- sample(length(a))
    strongest(a[order], b[order], 5)$most
  })
  say_all("lead", paste(case, collapse = "/"), list(bars = found$at, p = mean(c(TRUE, drawn >= found$most)),
    asymmetry = correlations[6 + found$at] - correlations[6 - found$at]))
}

# ---------------------------------------------------------------- how sure a number is

for (name in returns_of) {
  a <- series[[name]]$a
  b <- series[[name]]$b
  n <- length(a)
  lags <- floor(4 * (n / 100)^(2 / 9))
  # A mean's long-run variance; without prewhitening and without a correction for n, as Newey and West have it.
  for (l in c(lags, 30)) say("long_run", paste(name, l, sep = "/"), n * NeweyWest(lm(b ~ 1), lag = l, prewhite = FALSE)[1, 1])
  say("long_run", paste(name, "lrvar", sep = "/"), n * lrvar(b, "Newey-West", prewhite = FALSE, adjust = FALSE, lag = lags))

  # Each bar left out in turn, by fitting all the rest anew; and what neighbours that err alike add to it.
  neighbours <- function(left) {
    left <- left - mean(left)
    max(1, n * NeweyWest(lm(left ~ 1), lag = lags, prewhite = FALSE)[1, 1] / mean(left^2))
  }
  jackknifed <- function(left) sqrt((n - 1)^2 / n * var(left) * neighbours(left))
  left_r <- sapply(seq_len(n), function(i) atanh(cor(a[-i], b[-i])))
  left_w <- sapply(seq_len(n), function(i) log(sd(a[-i]) / sd(b[-i])))
  left_b <- dfbeta(lm(b ~ a))[, 2]
  say_all("jackknife", name, list(correlation = jackknifed(left_r), deviation_ratio = jackknifed(left_w),
    slope = jackknifed(left_b)))
  say_all("left_out", name, list(first = cor(a[-1], b[-1]), middle = cor(a[-150], b[-150]), last = cor(a[-n], b[-n])))

  # A block of neighbours left out in turn: four of them, Student's t of three degrees.
  block <- cut(seq_len(n), c(0, (1:4) * n %/% 4))
  by_block <- function(f) {
    without <- sapply(levels(block), function(one) f(block != one))
    reach <- qt(0.975, 3) * sqrt(3 * mean((without - mean(without))^2))
    whole <- f(rep(TRUE, n))
    c(whole, whole - reach, whole + reach)
  }
  say_three <- function(name, x) say_all("blocks", name, list(value = x[1], low = x[2], high = x[3]))
  say_three(paste0(name, "/slope"), by_block(function(keep) coef(lm(b ~ a, subset = keep))[[2]]))
  say_three(paste0(name, "/origin"), by_block(function(keep) coef(lm(b ~ 0 + a, subset = keep))[[1]]))
  # A share of a variance is not below zero, wherever its interval ends.
  say_three(paste0(name, "/explained"),
    pmax(0, 1 - exp(by_block(function(keep) log(1 - cor(a[keep], b[keep])^2))[c(1, 3, 2)])))
  hedged <- b - a / 2
  say_three(paste0(name, "/effect"),
    1 - exp(by_block(function(keep) log(var(hedged[keep]) / var(b[keep])))[c(1, 3, 2)]))

  # RiskMetrics' correlation as of the last bar: weights that fall off, and no mean taken out.
  for (decay in c(0.94, 0.97)) say("smoothed", paste(name, decay, sep = "/"),
    cov.wt(cbind(a, b), decay^((n - 1):0) / sum(decay^((n - 1):0)), cor = TRUE, center = FALSE)$cor[1, 2])
}
for (name in pairs) {
  interval <- cor.test(diff(series[[name]]$a), diff(series[[name]]$b))$conf.int
  say_all("fisher", paste0(name, "/changes"), list(low = interval[1], high = interval[2]))
}
# Welch's test asks whether means of several groups are equal: here of three stretches of one leg.
stretch <- cut(seq_along(series$autoregressive$a), c(0, 80, 170, 300))
say("welch", "autoregressive", oneway.test(series$autoregressive$a ~ stretch)$p.value)

# ---------------------------------------------------------------- when a correlation changed

influences <- function(a, b, decay = 0.94, first = 20, bound = 2.5) {
  bounded <- lapply(list(a, b), function(x) {
    x <- x - mean(x)
    n <- length(x)
    known <- stats::filter(c(mean(x[1:first]^2), (1 - decay) * x[(first + 1):(n - 1)]^2), decay, method = "recursive")
    x <- x[(first + 1):n] / sqrt(as.vector(known))
    limit <- bound * sqrt(mean(x^2))
    z(pmin(pmax(x, -limit), limit))
  })
  x <- bounded[[1]]
  y <- bounded[[2]]
  list(psi = x * y - mean(x * y) * (x^2 + y^2) / 2, x = x, y = y)
}
for (name in returns_of) {
  found <- influences(series[[name]]$a, series[[name]]$b)
  psi <- found$psi
  n <- length(psi)
  wide <- function(fit, lags, ...) NeweyWest(fit, lag = lags, prewhite = FALSE, sandwich = FALSE)
  # The strongest step of their mean by F, which is where least squares date it, over the long-run variance of the rest.
  edge <- min(60, n %/% 4)
  at <- Fstats(psi ~ 1, from = edge, to = n - edge)$breakpoint
  after <- seq_len(n) > at
  step <- lm(psi ~ after)
  rest <- residuals(step)
  long_run <- function(x, lags) wide(lm(x ~ 1), lags)[1]
  statistic <- sqrt(anova(step)["after", "Sum Sq"] / long_run(rest, min(125, n %/% 12)))
  # The places that leave nearly as few squares: short of the best by the larger of two exponential variables.
  left <- sapply(seq_len(n - 1), function(j) deviance(lm(psi ~ seq_len(n) > j)))
  usual <- function(x) long_run(x, floor(4 * (length(x) / 100)^(2 / 9)))
  rates <- 1 / (2 * c(usual(rest[!after]), usual(rest[after])))
  short <- uniroot(function(x) prod(pexp(x, rates)) - 0.95, c(0, 20 / min(rates)), tol = 1e-13)$root
  near <- which(left <= min(left[edge:(n - edge)]) + short)
  say_all("break", name, list(statistic = statistic, at = 20 + at, low = 20 + min(near), high = 20 + max(near),
    before = cor(found$x[1:at], found$y[1:at]), after = cor(found$x[-(1:at)], found$y[-(1:at)])))
  dated <- breakpoints(breakpoints(psi ~ 1, breaks = 1, h = edge), breaks = 1)
  say("break_date", paste0(name, "/breakpoints"), 20 + dated$breakpoints)

  parts <- cut(seq_len(n), c(0, 100, 280, n))
  lags <- min(80, floor(n / nlevels(parts) / 3), n %/% 12)
  apart <- anova(lm(psi ~ parts))[["Sum Sq"]][1] / wide(lm(psi ~ 1), lags)[1]
  say("equal_parts", name, pchisq(apart, nlevels(parts) - 1, lower.tail = FALSE))
}

# ---------------------------------------------------------------- levels over time

for (name in levels_of) {
  x <- series[[name]]$a
  fall <- maxdrawdown(log(x))  # of logarithms, for ours is a share of the peak
  say_all("drawdown", name, list(depth = expm1(-fall$maxdrawdown), peak = fall$from[1] - 1, trough = fall$to[1] - 1))
}

# A line whose coefficients walk, known at bar n: not bar by bar, but from all covariances at once. A coefficient's value
# at bars s and t has the covariance start + delta min(s, t).
delta <- 1e-4
noise <- 0.5
for (n in c(60, 300)) {
  x <- series$autoregressive$a[1:n]
  y <- series$autoregressive$b[1:n]
  walk <- 1e6 * noise + delta * outer(1:n, 1:n, pmin)
  covariance <- walk * (1 + outer(x, x)) + noise * diag(n)
  weights <- solve(covariance, y, tol = 0)
  before <- 1:(n - 1)
  known <- covariance[n, before] %*% solve(covariance[before, before], cbind(y[before], covariance[before, n]), tol = 0)
  say_all("kalman", n, list(slope = sum(walk[n, ] * x * weights), intercept = sum(walk[n, ] * weights),
    innovation = y[n] - known[1], variance = covariance[n, n] - known[2]))
}

writeLines(rows, target)
