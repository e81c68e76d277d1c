"""What the questions about means are asked of, from theory and runs."""

import dataclasses

import numpy as np

from teacher_student import Fluctuations, JointLaw, Responses, Trajectory

from ._evidence import Evidence, dim_of
from ._questions import Means
from ._whitening import Whitening

UNSEEN = 1e-9  # of the largest whitened response to a relative change: what is below is an integration's error


@dataclasses.dataclass(frozen=True)
class Seen:
    """The means with what they answer to.

    names, values: (P,) of the numbers of problem and start that move anything that is compared.
    unseen: the names of those that move nothing.
    responses: (w, P) whitened derivatives, per unit of each number.
    """

    means: Means
    names: tuple[str, ...]
    values: np.ndarray
    responses: np.ndarray
    unseen: tuple[str, ...]


def means_of(theory: Trajectory, runs: Trajectory, evidence: Evidence, error: np.ndarray) -> Seen | None:
    """Return the means under the joint law, or None where theory has none (files of earlier versions).

    Arguments: evidence: gathered with predicted spread. error: (m,) the standard error of each mean's deviation.
    """
    fluctuations = theory.fluctuations
    assert fluctuations is not None  # `check_predicted` comes first
    if fluctuations.law is None or fluctuations.responses is None:
        return None
    count = evidence.alphas.size
    law, responses = beginning(fluctuations, count)
    whitening = Whitening.of(law, dim_of(runs), int(runs.runs or 0), runs.source.test_samples)
    deviations = (evidence.samples.mean(axis=0) - evidence.theory).reshape(len(evidence.names), count).T
    moving = evidence.moving
    made = whitening.deviations().swapaxes(0, 1).reshape(-1, whitening.size)
    d = whitening.responses(responses)
    length = np.linalg.norm(d, axis=0)
    size = length * np.where(responses.values == 0, 1.0, np.abs(responses.values))
    seen = size > UNSEEN * max(float(np.max(size, initial=0.0)), 1e-300)
    d = d[:, seen]
    means = Means(
        z=(deviations.T.ravel() / np.where(moving, error, 1.0))[moving],
        xi=whitening.whitened(deviations),
        columns=made[moving] / error[moving, None],
        numbers=d / length[seen],
        scatter=_scatter(fluctuations, evidence, whitening),
    )
    names = np.array(responses.names)
    return Seen(means, tuple(names[seen]), responses.values[seen], d, tuple(names[~seen]))


def beginning(fluctuations: Fluctuations, count: int) -> tuple[JointLaw, Responses]:
    """Return the joint law and the responses at the first `count` alphas."""
    index = np.arange(count)
    cut = fluctuations.at(index)
    law, responses = cut.law, cut.responses
    assert law is not None
    assert responses is not None
    return law, responses


def _scatter(fluctuations: Fluctuations, evidence: Evidence, whitening: Whitening) -> np.ndarray:
    """Return the whitened error of theory (S, w) that its scramblings show, in the size that theory states.

    The points of `ode.fluctuations` may be others than those of the solve.
    """
    count, scatter = evidence.alphas.size, fluctuations.scatter
    if scatter is None or not np.any(evidence.sampling > 0):
        return np.zeros((0, whitening.size))
    S = len(scatter)
    scatter = np.asarray(scatter)[:, :count]
    shown = np.sqrt(np.sum(scatter**2, axis=0) / (S * (S - 1)))
    stated = evidence.sampling.reshape(len(evidence.names), count).T
    scale = np.where(shown > 0, stated / np.where(shown > 0, shown, 1.0), 0.0) / np.sqrt(S * (S - 1))
    return whitening.whitened(np.moveaxis(scatter * scale, 0, -1)).T
