"""A unit of one's own with closed forms, phi(x) = sin x, in one file: own_closed_forms.toml beside it names it.

Averages of products of sines are sums of E exp(i s.z) = exp(-s.C s / 2) over signs s, for fields z of covariance C.
"""

import itertools

import jax.numpy as jnp
import sympy as sp

import ode
import teacher_student as ts

SINE = ts.Activation("sine", jnp.sin, smooth=True)  # not odd=True, which also says sin(x) > 0 for all x > 0

C = ode.derive.symbols(4)  # C11, C12, ..., C44: covariances of fields a, b, c, d


def exponential(*signs: int) -> sp.Expr:
    """E exp(i (s_1 a + s_2 b + ...))."""
    s = sp.Matrix(signs)
    return sp.exp(sp.expand(-(s.T * C[: len(signs), : len(signs)] * s)[0] / 2))


# sin a sin b = -(1/4) sum_st s t exp(i (s a + t b))
pair = -sum(s * t * exponential(s, t) for s, t in itertools.product((1, -1), repeat=2)) / 4
# cos a cos b sin c sin d = -(1/16) sum_s s_3 s_4 exp(i s.z)
quad = -sum(s[2] * s[3] * exponential(*s) for s in itertools.product((1, -1), repeat=4)) / 16

ode.add_closed_form("I2", (SINE, SINE), pair)  # E[phi(a) phi(b)]
ode.add_closed_form("I4", (SINE, SINE, SINE), quad)  # E[phi'(a) phi'(b) phi(c) phi(d)]
