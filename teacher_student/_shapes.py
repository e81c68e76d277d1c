"""Shapes in types: `Float[Array, "B K M"]` is an array of numbers with one axis per block, student unit and latent.

Names of dimensions, the same in all packages:

  B  blocks of input dimensions       K  hidden units of the student      M  latent directions (teacher units, means)
  J  = K + M fields, students first   L  difficulty levels                C  clusters of inputs
  P  phases, or pairs of units        S  points of a sample               D  Gaussians that a sample draws
  N  input dimensions, coordinates    A  recorded alphas                  n, m  entries of a vector

`*batch` stands for any leading axes: runs, alphas, starts, or none. Inside vmap an array has the axes that its function
sees. The types are checked while the tests run, and by nothing else.
"""

import jax
import numpy as np

Numbers = jax.Array | np.ndarray  # known numbers are NumPy's, at float64; traced ones are JAX's
