r"""Do runs that share a start leave a symmetric state in different directions, each at a time of its own?

The ODE leaves it as the start says, at one time. Runs of finite N leave it by their noise of order N^(-1/2), wherever
that is larger than what the start differs by. Then the mean over runs is no state that any run is in, and is not the
ODE's curve. A theory of `ode.fluctuations` says so itself (`Trajectory.breakdown`); `ode.solve` does not know.
"""

import numpy as np

from teacher_student import Trajectory

DRAWS = 9999
RARE = 0.005  # chance of the note where the differences of units are normal
FEWEST_RUNS = 8


def notes_on_broken_symmetry(theory: Trajectory, runs: Trajectory, usable: np.ndarray, seed: int) -> list[str]:
    """Say where runs from one start have two units in one order and in the other, and little in between.

    For units k, l and a latent m let x = R_km - R_lm, over the runs. Where units exchange their places, x has both
    signs and |x| spreads far less than x. The statistic std(|x|) / std(x) is that of the x that spreads most, of all
    units and alphas. It is ranked among those of as many normal numbers of mean 0, for which it is smallest.

    Arguments: usable: (A,) mask of the alphas that are compared. seed: of the draws.
    """
    R = np.asarray(runs.overlaps.R, float)[:, usable]
    count, K = len(R), R.shape[-2]
    if theory.fluctuations is not None or np.ndim(runs.start.readout) > 1 or count < FEWEST_RUNS or K < 2:
        return []
    k, l = np.triu_indices(K, 1)
    differences = R[..., k, :] - R[..., l, :]  # (runs, A, B, pairs, M)
    spread = differences.std(axis=0, ddof=1)
    when, block, pair, m = np.unravel_index(np.argmax(spread), spread.shape)
    x = differences[:, when, block, pair, m]
    larger = int(np.sum(x > 0))
    if not 0 < larger < count:
        return []
    rng = np.random.default_rng([seed, 4])
    p = float((1 + np.sum(_folded(rng.standard_normal((DRAWS, count))) <= _folded(x))) / (1 + DRAWS))
    if p > RARE:
        return []
    first, second, latent = k[pair] + 1, l[pair] + 1, m + 1
    alpha = np.asarray(runs.alphas)[usable][when]
    return [
        f"R[{first},{latent}] is larger than R[{second},{latent}] in {larger} of {count} runs at alpha {alpha:g} and "
        f"smaller in the others, with little between (p = {p:.1g}), though all have one start: noise of order "
        "N^(-1/2), not the start, parts these units, each run at its own time. The ODE is then not the mean of the "
        "runs at this N, and a deviation may be that; ode.fluctuations says from which alpha on"
    ]


def _folded(x: np.ndarray) -> np.ndarray:
    """Return std(|x|) / std(x) along the last axis."""
    return np.asarray(np.abs(x).std(axis=-1, ddof=1) / x.std(axis=-1, ddof=1))
