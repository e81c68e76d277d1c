"""The lottery of the XOR mixture, if each unit were a ticket of its own."""

from typing import Any

import numpy as np
from scipy.special import comb


def coupon_law(width: Any) -> np.ndarray:
    r"""Probability that `width` units, each on one of four means at random, cover all four.

      P(K) = sum_{j=0}^{4} (-1)^j C(4, j) (1 - j/4)^K

    A relu unit with v_k > 0 ends on +u_1 or -u_1, with v_k < 0 on +u_2 or -u_2: with random signs and directions it
    is one draw of four coupons. Arguments: width: K, any shape. Source: Sarao Mannelli et al. 2024; coupon collector.
    """
    j = np.arange(5)
    K = np.asarray(width, float)[..., None]
    probability: np.ndarray = np.clip(np.sum((-1.0) ** j * comb(4, j) * (1 - j / 4) ** K, axis=-1), 0.0, 1.0)
    return probability
