"""Finite-size students: SGD, ensembles of runs, and agreement with theory."""

from lazy_loader import attach_stub

import teacher_student  # noqa: F401  # it sets XLA_FLAGS, before JAX computes anything

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
__getattr__, __dir__, _ = attach_stub(__name__, __file__)

__all__ = [
    "Agreement",
    "Dataset",
    "Deviation",
    "MixtureFit",
    "Moved",
    "Plan",
    "PlannedSimulation",
    "Preference",
    "Question",
    "Sample",
    "Shift",
    "SpreadTest",
    "Weights",
    "agreement",
    "check_run",
    "difference_agreement",
    "fit_mixture",
    "load_cifar10",
    "load_digits",
    "load_idx",
    "load_mnist_5k",
    "make_sample",
    "measure_overlaps",
    "memory",
    "plan",
    "preference",
    "prepare",
    "recordable_alphas",
    "run",
    "run_many",
    "sgd_step",
    "test",
    "usual_precision",
    "weights_with",
]
