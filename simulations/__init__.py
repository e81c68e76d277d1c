"""Finite-size students: SGD, ensembles of runs, and agreement with theory."""

from ._agreement import Agreement, agreement
from ._evidence import Comparison
from ._predicted import SpreadTest
from ._run import check_run, memory, recordable_alphas, run
from ._step import Sample, make_sample, sgd_step
from ._testing import test
from ._weights import Weights, measure_overlaps, weights_with

__all__ = [
    "Agreement",
    "Comparison",
    "Sample",
    "SpreadTest",
    "Weights",
    "agreement",
    "check_run",
    "make_sample",
    "measure_overlaps",
    "memory",
    "recordable_alphas",
    "run",
    "sgd_step",
    "test",
    "weights_with",
]
