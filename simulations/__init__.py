"""Finite-size students: SGD, ensembles of runs, and agreement with theory."""

from ._agreement import Agreement, agreement
from ._check_run import check_run, recordable_alphas
from ._evidence import Comparison
from ._memory import memory
from ._precision import usual_precision
from ._predicted import SpreadTest
from ._prepare import prepare
from ._run import run
from ._run_many import run_many
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
    "prepare",
    "recordable_alphas",
    "run",
    "run_many",
    "sgd_step",
    "test",
    "usual_precision",
    "weights_with",
]
