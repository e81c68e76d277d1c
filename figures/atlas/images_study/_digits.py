"""The images of the study: pairs of digits with the mixture of the theory, and ten digits as arrays."""

import dataclasses

import numpy as np

import simulations

from ._plan import HELD_OUT, NOISE, Plan

CROP = 4  # pixels at each side of 28 x 28, of the pairs
LABELS = {0: 1, 1: -1}, {2: 1, 3: -1}  # of the left and of the right image; their product is learnt


@dataclasses.dataclass(frozen=True)
class Pairs:
    """The XOR of two digits: the mixture fitted to the images that are learnt from, and the images held out."""

    fit: simulations.MixtureFit
    held_out: simulations.Dataset


@dataclasses.dataclass(frozen=True)
class TenDigits:
    """Images (n, 784), centred and scaled, with their digits (n,). noise: standard deviations of levels, as scaled."""

    images: np.ndarray
    labels: np.ndarray
    held_out: np.ndarray
    held_out_labels: np.ndarray
    noise: dict[str, float]


def pairs_of(plan: Plan) -> Pairs:
    """Return the XOR of pairs of digits. Raises InputError where the digits are not installed."""
    digits = simulations.load_mnist_5k(NOISE, crop=CROP)
    sides = []
    for number, labels in enumerate(LABELS):
        first, second = labels
        # Half a distance of 1 between opposite clusters of pairs, as in the XOR mixture.
        side = digits.select(first, second).centred([first], [second], 0.5**0.5)
        sides.append(side.split(HELD_OUT, plan.key("held out", number)))
    train, held_out = (simulations.Dataset.pairs(left, right) for left, right in zip(*sides, strict=True))
    fit = simulations.fit_mixture(train, LABELS)
    return Pairs(fit, fit.rotate(held_out))


def ten_digits(plan: Plan) -> TenDigits:
    """Return all ten digits, with a mean pixel of 0 and a variance of 1 in the images that are learnt from.

    Raises InputError where the digits are not installed.
    """
    kept, out = simulations.load_mnist_5k(NOISE).split(HELD_OUT, plan.key("held out", len(LABELS)))
    (train,), (test,) = kept.parts, out.parts
    mean, scale = train.inputs.mean(), train.inputs.std()
    images, held_out = ((part.inputs - mean) / scale for part in (train, test))
    noise = {level: float(np.sqrt(variance) / scale) for level, variance in NOISE.items()}
    return TenDigits(images, train.cluster, held_out, test.cluster, noise)
