r"""Are the runs near the limit N -> infinity? There, the variance of every overlap over runs is proportional to 1/N.

The measured 1/N term takes out the first correction to the limit, not those beyond it. Where runs leave a plateau each
at a time of its own, N may have to be in the thousands before the first one is all that matters. Two dimensions show
it without any theory: N var_N is then not N' var_N'.
"""

import numpy as np

from ._evidence import Evidence
from ._independence import STATES

PERMUTATIONS = 999
RARE = 0.005  # chance of the note where the spread is as the limit has it
FEWEST_RUNS = 8  # at each dimension


def notes_on_scaling(evidence: Evidence, dims: tuple[int, int], seed: int) -> list[str]:
    """Say where the spread of runs at the two dimensions N, N' is not as N^-1/2.

    The statistic is the largest |mean over overlaps of log(N var_N / (N' var_N'))| of any alpha. It is ranked among
    those of the same runs, each in units of N^-1/2 from its group's mean, dealt out to the two groups at random.

    Arguments: dims: N and N'. seed: of the deals.
    """
    if evidence.small is None or min(len(evidence.big), len(evidence.small)) < FEWEST_RUNS:
        return []
    states = np.isin(np.repeat(evidence.kinds, evidence.alphas.size), STATES) & evidence.moving
    if not states.any():
        return []
    when = np.tile(np.arange(evidence.alphas.size), len(evidence.names))[states]
    big, small = (
        (x - x.mean(axis=0))[:, states] * np.sqrt(dim)
        for x, dim in zip((evidence.big, evidence.small), dims, strict=True)
    )
    observed = _log_ratios(big, small, when)
    together, rng = np.concatenate([big, small]), np.random.default_rng([seed, 3])
    deals = [rng.permutation(len(together)) for _ in range(PERMUTATIONS)]
    drawn = [
        np.max(np.abs(_log_ratios(together[deal[: len(big)]], together[deal[len(big) :]], when)), initial=0.0)
        for deal in deals
    ]
    largest = int(np.argmax(np.abs(observed)))
    p = (1 + np.sum(np.array(drawn) >= np.abs(observed[largest]))) / (1 + PERMUTATIONS)
    if p > RARE:
        return []
    expected = np.sqrt(dims[0] / dims[1])
    ratio = expected * np.exp(-observed[largest] / 2)
    return [
        f"the overlaps spread {ratio:.2g} times as much at N = {dims[1]} as at N = {dims[0]} at alpha "
        f"{evidence.alphas[np.unique(when)[largest]]:g}, where the limit has {expected:.2g} "
        f"(p = {p:.1g}): these N are not near it, and a deviation may be theirs; take larger ones"
    ]


def _log_ratios(big: np.ndarray, small: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Return the mean of log(var / var') over the columns of each alpha that has some; when: (m,) of each column."""
    ratio = np.log(np.maximum(big.var(axis=0, ddof=1), 1e-300) / np.maximum(small.var(axis=0, ddof=1), 1e-300))
    count = np.bincount(when)
    return np.asarray(np.bincount(when, ratio)[count > 0] / count[count > 0])
