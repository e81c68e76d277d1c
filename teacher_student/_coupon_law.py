"""The lottery of the XOR mixture, if each unit were a ticket of its own."""

from typing import Any

import numpy as np
from scipy.special import comb


def coupon_law(width: Any) -> np.ndarray:
    """Return the probability that `width` units, each on one of four means at random, cover all four.

      P(K) = sum_{j=0}^{4} (-1)^j C(4, j) (1 - j/4)^K

    A relu unit with v_k > 0 ends on +u_1 or -u_1, and one with v_k < 0 on +u_2 or -u_2. With random signs and
    directions each unit is therefore one draw of four coupons.

    Arguments:
      width: the number K of units, of any shape.

    Source: Sarao Mannelli et al. 2024; coupon collector.

    Example:
      >>> import teacher_student as ts
      >>> ts.coupon_law([4, 8, 16]).round(3).tolist()
      [0.094, 0.623, 0.96]
    """
    j = np.arange(5)
    K = np.asarray(width, float)[..., None]
    # Terms of the sum cancel: rounding would leave probabilities slightly below 0 or beyond 1.
    probability: np.ndarray = np.clip(np.sum((-1.0) ** j * comb(4, j) * (1 - j / 4) ** K, axis=-1), 0.0, 1.0)
    return probability
