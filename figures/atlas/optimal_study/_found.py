"""What is kept of an optimum: plain numbers, as they stand in a cell's file."""

import dataclasses
from typing import Any

import numpy as np

import ode

Numbers = list[float]


@dataclasses.dataclass(frozen=True)
class Found:
    """An optimal order, and what is certain of it.

    cost: of the optimum. named: cost of each named order, with a rate of its own where rates are tuned. untuned: with
    the rate of the problem. kkt, slopes, violation, to_gain: of the certificate. verdict: its first line. kelley: the
    largest number of Kelley on singular arcs, or None. phases: (duration, easy share at the beginning, at the end).
    mixed_at_most: the longest mixed stretch that is a switch: one of equal phases, else 0. rates: of equal phases;
    empty where the rate is fixed. searches: (start, cost, evaluations). evaluated: of the XOR mixture, [protocol][own
    start, other start][error, accuracy][replicate], with fresh points; protocols are the optimum and the named ones.
    """

    cost: float
    named: dict[str, float]
    untuned: dict[str, float]
    kkt: float
    slopes: float
    violation: float
    to_gain: float
    verdict: str
    kelley: float | None
    phases: list[Numbers]
    mixed_at_most: float
    rates: Numbers
    searches: list[Any]
    status: str
    method: str
    evaluated: list[Any] = dataclasses.field(default_factory=list)


def found_of(best: ode.protocols.Optimum, phases: int, rates: int = 0) -> Found:
    """Return what is kept of an optimum. Raises KeyboardInterrupt for one whose search was interrupted.

    Arguments: phases: of the search, all equal. rates: phases of the learning rate; 0 where it is fixed.
    """
    if best.status == "interrupted":
        raise KeyboardInterrupt
    certificate, curriculum = best.certificate, best.problem.curriculum
    easy = curriculum.level_names.index("easy")
    columns = curriculum.durations, curriculum.initial_shares[:, easy], curriculum.final_shares[:, easy]
    ends = (np.arange(rates) + 0.5) * float(curriculum.end) / max(rates, 1)
    arcs = [max(stretch.kelley) for stretch in certificate.stretches if stretch.kelley]
    return Found(
        cost=best.cost,
        named={name: named.best for name, named in best.named.items()},
        untuned={name: named.cost for name, named in best.named.items()},
        kkt=certificate.kkt,
        slopes=certificate.slopes,
        violation=float(certificate.violation or 0.0),
        to_gain=certificate.to_gain,
        verdict=certificate.describe().splitlines()[0].partition(":")[0],
        kelley=float(max(arcs)) if arcs else None,
        phases=np.stack([np.asarray(column, float) for column in columns], axis=1).tolist(),
        mixed_at_most=1 / phases if best.method == "direct" else 0.0,
        rates=[float(best.problem.sgd.learning_rate(alpha)) for alpha in ends],
        searches=[
            [search.start, search.cost, search.evaluations] for search in best.searches if np.isfinite(search.cost)
        ],
        status=best.status,
        method=best.method,
    )
