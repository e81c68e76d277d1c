"""What finite-size data say: exponents of mean and variance, amplitudes against theory, the escape's slope."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import xarray as xr
from scipy import stats

from .._foreign_data import takes_data_of
from .._power_law import PowerLaw, amplitude, log_power_law, power_law

CONFIDENCE = 0.95
RESAMPLED = 2000


@takes_data_of("finite-size")
def mean_exponent(data: xr.Dataset, alpha: float, names: Sequence[str] | None = None) -> PowerLaw:
    """Fit the exponent p of N^-p to the deviation of the run mean from the ODE.

    Arguments: data: of `deviation_data`. alpha: one of its alphas. names: of the overlaps; None: all jointly.
    Returns a PowerLaw; theory says p = 1.
    """
    return power_law(data["dim"].values, *_means(_at(data, alpha, names)))


@takes_data_of("finite-size")
def variance_exponent(data: xr.Dataset, alpha: float, names: Sequence[str] | None = None) -> PowerLaw:
    """Fit the exponent p of N^-p to the variance over runs.

    Arguments: data, alpha, names: as in `mean_exponent`. Returns a PowerLaw; theory says p = 1.
    """
    chosen = _at(data, alpha, names)
    return log_power_law(chosen["dim"].values, *_log_variances(chosen))


@dataclasses.dataclass(frozen=True)
class Amplitude:
    """An amplitude, at exponent -1, against theory's.

    ratio: of the two, and se: its standard error. chi2, freedom, p: whether all overlaps fit theory itself.
    """

    ratio: float
    se: float
    chi2: float
    freedom: int
    p: float


@takes_data_of("finite-size")
def shift_amplitude(data: xr.Dataset, alpha: float) -> Amplitude:
    """Compare N (mean - ODE) with the predicted shift: the factor that fits all overlaps best, and whether 1 fits.

    Arguments: data: of `deviation_data`. alpha: one of its alphas.
    Returns `ratio`, `se`, and `chi2`, `freedom` and `p` of theory itself.
    """
    chosen = _at(data, alpha, None)
    fitted, covariance = amplitude(chosen["dim"].values, *_means(chosen))
    return _against(fitted, covariance + np.diag(chosen["shift_error"].values ** 2), chosen["shift"].values)


@takes_data_of("finite-size")
def along_shift(data: xr.Dataset, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the deviation of all overlaps as a multiple of the predicted shift: 1/N in theory.

      s^T S^-1 d / s^T S^-1 s
    is the least-squares factor of the shift s in the deviations d with covariance S.

    Arguments: data: of `deviation_data`. alpha: one of its alphas.
    Returns the factor (n,) at every N, and its standard error (n,).
    """
    chosen = _at(data, alpha, None)
    (values, covariances), shift = _means(chosen), chosen["shift"].values
    weights = np.linalg.solve(covariances, np.broadcast_to(shift[:, None], (*values.shape, 1)))[..., 0]
    norm = weights @ shift
    return np.einsum("nq,nq->n", weights, values) / norm, norm**-0.5


@takes_data_of("finite-size")
def variance_amplitude(data: xr.Dataset, alpha: float) -> Amplitude:
    """Compare the limit of N Var with the predicted variance, by log(N Var / predicted) = a_q + b_q / N.

    Arguments: data, alpha: as in `shift_amplitude`, and so is what is returned.
    """
    chosen = _at(data, alpha, None)
    logs, covariances = _log_variances(chosen)
    excess = logs + np.log(chosen["dim"].values)[:, None] - np.log(chosen["fluctuation"].values)
    precisions, eye = np.linalg.inv(covariances), np.eye(chosen.sizes["quantity"])
    designs = np.stack([np.concatenate([eye, eye / dim], axis=1) for dim in chosen["dim"].values])  # (n, q, 2 q)
    covariance = np.linalg.inv(np.einsum("nqa,nqp,npb->ab", designs, precisions, designs))
    fitted = (covariance @ np.einsum("nqa,nqp,np->a", designs, precisions, excess))[: eye.shape[0]]
    error = chosen["fluctuation_error"].values / chosen["fluctuation"].values
    covariance = covariance[: eye.shape[0], : eye.shape[0]] + np.diag(error**2)
    return _against(1 + fitted, covariance, np.ones_like(fitted))


def _against(fitted: np.ndarray, covariance: np.ndarray, theory: np.ndarray) -> Amplitude:
    precision = np.linalg.inv(covariance)
    weight = float(theory @ precision @ theory)
    difference = fitted - theory
    chi2 = float(difference @ precision @ difference)
    p = float(stats.chi2.sf(chi2, theory.size))
    return Amplitude(float(theory @ precision @ fitted) / weight, weight**-0.5, chi2, theory.size, p)


def _at(data: xr.Dataset, alpha: float, names: Sequence[str] | None) -> xr.Dataset:
    chosen = data["quantity"].values.tolist() if names is None else list(names)
    return data.sel(alpha=alpha, quantity=chosen, other=chosen)


def _correlations(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return variances (n, q) at every N, and one correlation matrix (q, q) for all N, weighted by their runs.

    Correlations depend on N by terms of order 1/N only; those of few runs and many overlaps have no good inverse.
    """
    covariance, runs = data["covariance"].values, data["runs"].values.astype(float)
    variance = np.einsum("nqq->nq", covariance)
    correlations = covariance / np.sqrt(variance[:, :, None] * variance[:, None, :])
    return variance, np.einsum("n,nqp->qp", runs / runs.sum(), correlations)


def _means(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return deviations (n, q) of the run mean and their covariances (n, q, q)."""
    variance, correlation = _correlations(data)
    error = np.sqrt(variance / data["runs"].values[:, None])
    return data["deviation"].values, correlation * error[:, :, None] * error[:, None, :]


def _log_variances(data: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Return logarithms of variances (n, q) without their bias, and their covariances (n, q, q).

    Cov(log s_q^2, log s_p^2) = 2 rho_qp^2 / (R - 1) for Gaussian runs, times sqrt((k_q - 1) (k_p - 1)) / 2 with the
    measured relative fourth moments k (3 for a Gaussian).
    """
    variance, correlation = _correlations(data)
    error = np.sqrt((data["fourth"].values - 1) / (data["runs"].values[:, None] - 1))
    covariances = correlation**2 * error[:, :, None] * error[:, None, :]
    return np.log(variance) + error**2 / 2, covariances


@dataclasses.dataclass(frozen=True)
class Escape:
    """Escape times against log N.

    dims: (n,) N. median, low, high: (n,) median escape time in alpha = samples / N, with its 95 % interval. slope,
    slope_low, slope_high: of the line through the medians against log N, with its interval. intercept: its value at
    log N = 0. chi2, freedom, fits: chi^2 of the line, its degrees of freedom and p-value.
    """

    dims: np.ndarray
    median: np.ndarray
    low: np.ndarray
    high: np.ndarray
    slope: float
    slope_low: float
    slope_high: float
    intercept: float
    chi2: float
    freedom: int
    fits: float


@takes_data_of("finite-size")
def escape_fit(data: xr.Dataset) -> Escape:
    """Fit a weighted straight line through the median escape times against log N.

    The medians' errors are by bootstrap over runs. A run that has not escaped counts as infinitely late.

    Arguments: data: of `escape_data`. Returns the medians with intervals, and the line with its own.
    """
    dims, rng = data["dim"].values, np.random.default_rng(0)
    samples = [row[~np.isnan(row)] for row in data["escape"].values]
    median = np.array([np.median(times) for times in samples])
    low, high = np.array([_median_interval(times) for times in samples]).T
    drawn = [np.median(rng.choice(times, (RESAMPLED, times.size)), axis=1) for times in samples]
    se = np.array([np.std(times[np.isfinite(times)], ddof=1) for times in drawn])
    design = np.column_stack([np.log(dims), np.ones(dims.size)])
    covariance = np.linalg.inv(design.T @ (design / se[:, None] ** 2))
    slope, intercept = covariance @ design.T @ (median / se**2)
    half = stats.norm.isf((1 - CONFIDENCE) / 2) * np.sqrt(covariance[0, 0])
    chi2, freedom = float(np.sum(((median - design @ [slope, intercept]) / se) ** 2)), dims.size - 2
    fits = float(stats.chi2.sf(chi2, freedom))
    return Escape(dims, median, low, high, slope, slope - half, slope + half, float(intercept), chi2, freedom, fits)


def _median_interval(values: np.ndarray) -> tuple[float, float]:
    """Return the exact 95 % interval of the median, between order statistics."""
    ordered, n = np.sort(values), values.size
    below = int(stats.binom.ppf((1 - CONFIDENCE) / 2, n, 0.5))
    return float(ordered[max(below - 1, 0)]), float(ordered[min(n - below, n - 1)])
