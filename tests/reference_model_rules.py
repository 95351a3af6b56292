"""Second implementation of CRM, TITE-CRM and BLRM for one trial's counts, kept apart from the package.

Every function takes the evaluable patients and DLTs at each level, counted from 0, and where it applies the patients
without a DLT whose window is still open, as pairs of level and weight. Posteriors are integrated by adaptive quadrature
over a range outside which the density is below exp(-DROP) times its peak: a likelihood is at most 1, so the prior alone
gives that range.

Sources: O'Quigley, Pepe and Fisher 1990, doi:10.2307/2531628 (CRM); Lee and Cheung 2009, doi:10.1177/1740774509105076
(skeletons); Cheung and Chappell 2000, doi:10.1111/j.0006-341X.2000.01177.x (TITE-CRM); Neuenschwander, Branson and
Gsponer 2008, doi:10.1002/sim.3230 (BLRM).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from scipy.integrate import quad
from scipy.optimize import brentq, minimize_scalar

TOLERANCE = 1e-9
PRECISION = 1e-12
OUTER_PRECISION = 1e-10
DROP = 45.0
PANELS = (2.0, 5.0, 10.0, 20.0)
SCAN = 80
SLIVER = 1e-7
MLE_BOUND = 10.0
Function = Callable[[float], float]
Partial = Sequence[tuple[int, float]]


def softplus(x: float) -> float:
    """The logarithm of 1 + exp(x)."""
    return max(x, 0.0) + math.log1p(math.exp(-abs(x)))


def logit(p: float) -> float:
    """The log odds of p."""
    return math.log(p) - math.log1p(-p)


def log_open(log_q: float, weight: float) -> float:
    """The log likelihood of a patient without a DLT so far, log(1 - weight * p), from log(1 - p)."""
    return log_q if weight >= 1.0 else math.log((1.0 - weight) + weight * math.exp(log_q))


def log_open_all(log_q: float, weights: Sequence[float]) -> float:
    """The same for all patients of a level whose window is open."""
    return math.fsum(log_open(log_q, weight) for weight in weights) if weights else 0.0


def by_level(partial: Partial, size: int) -> tuple[tuple[float, ...], ...]:
    """The weights of the patients with an open window at every level."""
    return tuple(tuple(weight for where, weight in partial if where == level) for level in range(size))


def around(centre: float, width: float) -> list[float]:
    """Points from which the panels of a quadrature grow on both sides of a peak."""
    return [centre - k * width for k in reversed(PANELS)] + [centre] + [centre + k * width for k in PANELS]


def integral(
    f: Function, low: float, high: float, points: Sequence[float] = (), scale: float = 1.0, precision: float = PRECISION
) -> float:
    """The integral of f, split at the points that lie inside; scale is the size of a result that counts as large.

    A sliver, on which f is a constant to all digits, is taken by its midpoint.
    """
    if high - low < SLIVER * scale:
        return (high - low) * f(0.5 * (low + high))
    inside = [x for x in points if low < x < high] or None
    return float(quad(f, low, high, points=inside, epsabs=precision * scale, epsrel=precision, limit=400)[0])


def highest(f: Function, low: float, high: float) -> tuple[float, float, float]:
    """Where f is largest: the place to about eight digits, and a bracket around it."""
    step = (high - low) / SCAN
    best = max((low + k * step for k in range(SCAN + 1)), key=f)
    left, right = max(best - step, low), min(best + step, high)
    place = float(minimize_scalar(lambda x: -f(x), bounds=(left, right), method="bounded").x)
    return place, left, right


def width_at_peak(f: Function, peak: float, typical: float) -> float:
    """The standard deviation of the normal curve that bends like exp(f) at its peak, at most the typical one."""
    h = 1e-3 * typical
    bend = (2.0 * f(peak) - f(peak - h) - f(peak + h)) / h**2
    return 1.0 / math.sqrt(max(bend, typical**-2))


# CRM. Both one-parameter models are link(p) = exp(a) * link(skeleton) with a link below 0, so p falls as a rises.


def link(p: float, model: str, intercept: float) -> float:
    """The scale on which the curve is exp(a) times the skeleton."""
    if model == "empiric":
        return math.log(p)
    if model == "logistic":
        return logit(p) - intercept
    raise ValueError(f"unknown model {model!r}")


def log_probabilities(value: float, model: str, intercept: float) -> tuple[float, float]:
    """The logarithms of p and of 1 - p from the link of p."""
    if model == "empiric":
        return value, math.log(-math.expm1(value))
    return -softplus(-intercept - value), -softplus(intercept + value)


def getprior(
    halfwidth: float, target: float, nu: int, nlevel: int, model: str = "empiric", intercept: float = 3.0
) -> list[float]:
    """The skeleton with indifference interval target -/+ halfwidth and the target at level nu, counted from 1.

    At the parameter where the model changes from one level to the next, the lower level has probability
    target - halfwidth and the upper one target + halfwidth.
    """
    below, above = (link(target + side * halfwidth, model, intercept) for side in (-1, 1))
    links = [link(target, model, intercept)]
    while len(links) < nlevel - nu + 1:
        growth = below / links[-1]
        links.append(above / growth)
    while len(links) < nlevel:
        growth = above / links[0]
        links.insert(0, below / growth)
    return [math.exp(log_probabilities(value, model, intercept)[0]) for value in links]


@dataclass(frozen=True)
class CrmModel:
    """The curve of a one-parameter model, and its likelihood for the data of one trial."""

    n: tuple[int, ...]
    y: tuple[int, ...]
    skeleton: tuple[float, ...]
    model: str
    intercept: float
    weights: tuple[tuple[float, ...], ...]
    links: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Take the skeleton to the link scale; the logistic model needs its labels below 0."""
        links = tuple(link(p, self.model, self.intercept) for p in self.skeleton)
        if max(links) >= 0.0:
            raise ValueError("the skeleton has to lie below the limit of the model")
        object.__setattr__(self, "links", links)

    def logs(self, level: int, a: float) -> tuple[float, float]:
        """The logarithms of p and of 1 - p at a level."""
        return log_probabilities(math.exp(a) * self.links[level], self.model, self.intercept)

    def p(self, level: int, a: float) -> float:
        """The DLT probability at a level."""
        return math.exp(self.logs(level, a)[0])

    def curve(self, a: float) -> list[float]:
        """The DLT probability at every level."""
        return [self.p(level, a) for level in range(len(self.links))]

    def parameter(self, level: int, p: float) -> float:
        """The parameter at which a level has DLT probability p; infinite if p is out of the model's reach."""
        if p <= 0.0:
            return math.inf
        if p >= 1.0 or link(p, self.model, self.intercept) >= 0.0:
            return -math.inf
        return math.log(link(p, self.model, self.intercept) / self.links[level])

    def log_likelihood(self, a: float) -> float:
        """The log likelihood: y DLTs of n at every level, and the patients with an open window."""
        total = 0.0
        for level, (n, y, weights) in enumerate(zip(self.n, self.y, self.weights, strict=True)):
            if n or weights:
                log_p, log_q = self.logs(level, a)
                total += y * log_p + (n - y) * log_q + log_open_all(log_q, weights)
        return total

    def score(self, a: float) -> float:
        """The derivative of the log likelihood, from the derivative of log p at every level."""
        total = 0.0
        for level, (n, y, weights) in enumerate(zip(self.n, self.y, self.weights, strict=True)):
            log_p, log_q = self.logs(level, a)
            slope = math.exp(a) * self.links[level] * (1.0 if self.model == "empiric" else math.exp(log_q))
            fall = (n - y) * math.exp(log_p - log_q)
            fall += sum(weight * math.exp(log_p - log_open(log_q, weight)) for weight in weights)
            total += slope * (y - fall)
        return total


def crm_mtd(ptox: Sequence[float], target: float) -> int:
    """The level whose probability is closest to the target, the lowest on ties; the top one if all are at most it."""
    if all(p <= target + TOLERANCE for p in ptox):
        return len(ptox) - 1
    if all(p >= target - TOLERANCE for p in ptox):
        return 0
    distances = [abs(p - target) for p in ptox]
    return next(level for level, distance in enumerate(distances) if distance <= min(distances) + TOLERANCE)


@dataclass(frozen=True)
class CrmFit:
    """Posterior of a CRM: mean and variance of a, the curve at that mean, the mean curve, and the MTD from 0.

    The density has its peak scaled to 1 and its argument is (a - mode) / width.
    """

    estimate: float
    post_var: float
    ptox: list[float]
    mean_ptox: list[float]
    mtd: int
    curve: CrmModel = field(repr=False)
    density: Function = field(repr=False)
    mode: float = field(repr=False)
    width: float = field(repr=False)
    limits: tuple[float, float] = field(repr=False)
    total: float = field(repr=False)

    def cdf(self, a: float) -> float:
        """Posterior probability that the parameter is below a."""
        low, high = self.limits
        t = (a - self.mode) / self.width
        if t <= low or t >= high:
            return 0.0 if t <= low else 1.0
        return min(integral(self.density, low, t, around(0.0, 1.0)) / self.total, 1.0)

    def exceedance(self, level: int, above: float) -> float:
        """Posterior probability that the DLT probability of a level is above a value."""
        return self.cdf(self.curve.parameter(level, above))

    def quantile(self, level: int, q: float) -> float:
        """The q-quantile of the DLT probability of a level, at the (1 - q)-quantile of a."""
        low, high = (self.mode + self.width * t for t in self.limits)
        return self.curve.p(level, float(brentq(lambda a: self.cdf(a) - (1.0 - q), low, high, xtol=PRECISION)))


def crm(
    n: Sequence[int],
    y: Sequence[int],
    skeleton: Sequence[float],
    target: float,
    *,
    model: str = "empiric",
    intercept: float = 3.0,
    prior_sd: float = math.sqrt(1.34),
    partial: Partial = (),
    bound: float = math.inf,
) -> CrmFit:
    """Bayesian CRM with a normal prior on a with mean 0; with open windows this is TITE-CRM.

    A finite bound cuts the prior off at -/+ bound, as programs do that integrate over a fixed range.
    """
    curve = CrmModel(tuple(n), tuple(y), tuple(skeleton), model, intercept, by_level(partial, len(n)))

    def log_density(a: float) -> float:
        return curve.log_likelihood(a) - 0.5 * (a / prior_sd) ** 2

    reach = min(prior_sd * math.sqrt(-2.0 * log_density(0.0)) + prior_sd, bound)
    mode = highest(log_density, -reach, reach)[0]
    peak = log_density(mode)
    width = width_at_peak(log_density, mode, prior_sd)
    reach = min(prior_sd * math.sqrt(2.0 * (DROP - peak)), bound)
    low, high = (-reach - mode) / width, (reach - mode) / width

    @cache
    def density(t: float) -> float:
        return math.exp(log_density(mode + width * t) - peak)

    def moment(f: Function) -> float:
        return integral(lambda t: f(t) * density(t), low, high, around(0.0, 1.0))

    def mean_p(level: int) -> float:
        return moment(lambda t: curve.p(level, mode + width * t)) / total

    total = moment(lambda t: 1.0)
    mean = moment(lambda t: t) / total
    variance = moment(lambda t: (t - mean) ** 2) / total
    estimate = mode + width * mean
    ptox = curve.curve(estimate)
    mean_ptox = [mean_p(level) for level in range(len(ptox))]
    return CrmFit(
        estimate=estimate,
        post_var=width**2 * variance,
        ptox=ptox,
        mean_ptox=mean_ptox,
        mtd=crm_mtd(ptox, target),
        curve=curve,
        density=density,
        mode=mode,
        width=width,
        limits=(low, high),
        total=total,
    )


@dataclass(frozen=True)
class MleFit:
    """Maximum likelihood CRM: the estimate of a, the curve there, and the MTD from 0."""

    estimate: float
    ptox: list[float]
    mtd: int


def crm_mle(
    n: Sequence[int],
    y: Sequence[int],
    skeleton: Sequence[float],
    target: float,
    *,
    model: str = "empiric",
    intercept: float = 3.0,
    partial: Partial = (),
) -> MleFit:
    """CRM by maximum likelihood on a from -10 to 10; without any DLT, or with DLTs only, the estimate is a limit."""
    curve = CrmModel(tuple(n), tuple(y), tuple(skeleton), model, intercept, by_level(partial, len(n)))
    if sum(n) + sum(weight for _, weight in partial) == 0:
        raise ValueError("there is no maximum likelihood estimate without follow-up")
    place, left, right = highest(curve.log_likelihood, -MLE_BOUND, MLE_BOUND)
    if sum(y) == 0:
        estimate = MLE_BOUND
    elif curve.score(left) > 0.0 > curve.score(right):
        estimate = float(brentq(curve.score, left, right, xtol=PRECISION))
    else:
        estimate = max((left, place, right), key=curve.log_likelihood)
    ptox = curve.curve(estimate)
    return MleFit(estimate, ptox, crm_mtd(ptox, target))


def linear_weights(followup: Sequence[float], window: float) -> list[float]:
    """The share of the window that each patient has been followed, at most 1."""
    return [min(u / window, 1.0) for u in followup]


def adaptive_weights(followup: Sequence[float], tox: Sequence[int], window: float) -> list[float]:
    """Weights that rise by an equal step between the sorted DLT times seen so far; 1 for patients with a DLT."""
    support = sorted(u for u, dlt in zip(followup, tox, strict=True) if dlt)
    knots = [0.0, *support, window]
    steps = len(support) + 1

    def weight(u: float) -> float:
        if u >= window:
            return 1.0
        passed = sum(time <= u for time in support)
        left, right = knots[passed], knots[passed + 1]
        return min((passed + (u - left) / (right - left)) / steps, 1.0)

    return [1.0 if dlt else weight(u) for u, dlt in zip(followup, tox, strict=True)]


# BLRM: logit p(d) = u + exp(v) * x with x = log(d / reference), u = log(alpha) and v = log(beta).


@dataclass(frozen=True)
class BlrmModel:
    """The likelihood of the two-parameter logistic model and its bivariate normal prior."""

    n: tuple[int, ...]
    y: tuple[int, ...]
    x: tuple[float, ...]
    mean: tuple[float, float]
    sd: tuple[float, float]
    rho: float
    weights: tuple[tuple[float, ...], ...]

    def log_likelihood(self, u: float, beta: float) -> float:
        """The log likelihood: y DLTs of n at every dose, and the patients with an open window."""
        total = 0.0
        for n, y, x, weights in zip(self.n, self.y, self.x, self.weights, strict=True):
            if n or weights:
                eta = u + beta * x
                log_q = -softplus(eta)
                total += y * eta + n * log_q + log_open_all(log_q, weights)
        return total

    def given(self, v: float) -> tuple[float, float]:
        """The prior mean and standard deviation of u given v."""
        return (
            self.mean[0] + self.rho * self.sd[0] * (v - self.mean[1]) / self.sd[1],
            self.sd[0] * math.sqrt(1.0 - self.rho**2),
        )

    def log_density(self, u: float, v: float) -> float:
        """The log posterior density up to a constant, the prior as that of v times that of u given v."""
        centre, spread = self.given(v)
        z1, z2 = (u - centre) / spread, (v - self.mean[1]) / self.sd[1]
        return self.log_likelihood(u, math.exp(v)) - 0.5 * (z1**2 + z2**2)

    def best(self, v: float) -> float:
        """The u with the highest density given v, to about five digits."""
        centre, spread = self.given(v)
        reach = spread * (1.0 + math.sqrt(-2.0 * self.log_likelihood(centre, math.exp(v))))
        limits = (centre - reach, centre + reach)
        return float(minimize_scalar(lambda u: -self.log_density(u, v), bounds=limits, method="bounded").x)


@dataclass(frozen=True)
class BlrmFit:
    """Posterior of a BLRM at every dose: probabilities of the three intervals, and the mean DLT probability."""

    prob_under: list[float]
    prob_target: list[float]
    prob_over: list[float]
    mean_p: list[float]


def blrm_slice(posterior: BlrmModel, v: float, peak: float, limits: tuple[float, float], scale: float) -> list[float]:
    """Integrals over u at one v: the whole, then at every dose the part under, the part over, and that times p.

    The range of u is split where p crosses an interval limit at any dose.
    """
    beta = math.exp(v)
    shifts = [beta * x for x in posterior.x]
    mode = posterior.best(v)
    if posterior.log_density(mode, v) < peak - DROP:
        return [0.0] * (1 + 3 * len(shifts))
    centre, spread = posterior.given(v)
    prior_drop = 0.5 * ((v - posterior.mean[1]) / posterior.sd[1]) ** 2
    reach = spread * math.sqrt(2.0 * max(DROP - peak - prior_drop, 0.0))
    low, high = centre - reach, centre + reach

    def log_slice(u: float) -> float:
        return posterior.log_likelihood(u, beta) - 0.5 * ((u - centre) / spread) ** 2 - prior_drop - peak

    @cache
    def density(u: float) -> float:
        return math.exp(log_slice(u))

    def mean_part(shift: float) -> float:
        return integral(lambda u: math.exp(-softplus(-u - shift)) * density(u), low, high, points, scale)

    points = around(mode, width_at_peak(log_slice, mode, spread))
    cuts = [[logit(limit) - shift for limit in limits] for shift in shifts]
    inside = sorted({u for u in points + [u for pair in cuts for u in pair] if low < u < high})
    edges = [low, *inside, high]
    masses = [integral(density, a, b, scale=scale) for a, b in pairwise(edges)]
    result = [math.fsum(masses)]
    for shift, (first, second) in zip(shifts, cuts, strict=True):
        result.append(math.fsum(m for m, right in zip(masses, edges[1:], strict=True) if right <= first))
        result.append(math.fsum(m for m, left in zip(masses, edges[:-1], strict=True) if left >= second))
        result.append(mean_part(shift))
    return result


def blrm(
    n: Sequence[int],
    y: Sequence[int],
    doses: Sequence[float],
    reference_dose: float,
    mean: tuple[float, float],
    sd: tuple[float, float],
    rho: float,
    under: float = 0.16,
    over: float = 0.33,
    partial: Partial = (),
) -> BlrmFit:
    """Bayesian logistic regression on log dose by nested quadrature, over log(alpha) inside and log(beta) outside."""
    x = tuple(math.log(dose / reference_dose) for dose in doses)
    posterior = BlrmModel(tuple(n), tuple(y), x, mean, sd, rho, by_level(partial, len(x)))

    def profile(v: float) -> float:
        return posterior.log_density(posterior.best(v), v)

    reach = sd[1] * (1.0 + math.sqrt(-2.0 * profile(mean[1])))
    mode = highest(profile, mean[1] - reach, mean[1] + reach)[0]
    peak = profile(mode)
    outer = width_at_peak(profile, mode, sd[1])
    inner = width_at_peak(lambda u: posterior.log_density(u, mode), posterior.best(mode), sd[0])
    reach = sd[1] * math.sqrt(2.0 * (DROP - peak))
    low, high = mean[1] - reach, mean[1] + reach

    @cache
    def slice_at(z: float) -> list[float]:
        return blrm_slice(posterior, z, peak, (under, over), inner)

    def whole(part: int) -> float:
        return integral(lambda z: slice_at(z)[part], low, high, around(mode, outer), inner * outer, OUTER_PRECISION)

    total, *parts = (whole(part) for part in range(1 + 3 * len(x)))
    below, above, means = ([value / total for value in parts[k::3]] for k in range(3))
    middle = [1.0 - a - b for a, b in zip(below, above, strict=True)]
    return BlrmFit(below, middle, above, means)


def blrm_choice(fit: BlrmFit, feasibility: float = 0.25, choose: str = "target") -> int | None:
    """The dose among those with prob_over at most the feasibility: most probably on target, or the highest."""
    allowed = [level for level, p in enumerate(fit.prob_over) if p <= feasibility + TOLERANCE]
    if not allowed:
        return None
    if choose == "highest":
        return allowed[-1]
    if choose != "target":
        raise ValueError(f"unknown choice {choose!r}")
    best = max(fit.prob_target[level] for level in allowed)
    return next(level for level in allowed if fit.prob_target[level] >= best - TOLERANCE)
