"""What is learned, from which inputs, by whom and in which order: problems, states and results."""

from typing import Any

from lazy_loader import attach_stub

from ._compiler_faults import leave_out_wrong_pieces

leave_out_wrong_pieces()  # before JAX computes anything

# Loading everything takes seconds: a name is imported when it is first used, from where `__init__.pyi` says.
_loaded, __dir__, _ = attach_stub(__name__, __file__)


def __getattr__(name: str) -> Any:
    if name == "__version__":  # read from what is installed, which takes a while, like the names below
        return _loaded("versions")().get("teacher-student", "unknown")
    return _loaded(name)


__all__ = [
    "DIVERGENCE_BOUND",
    "SGD",
    "Activation",
    "Breakdown",
    "Budget",
    "Committee",
    "Condition",
    "Curriculum",
    "Directions",
    "Fluctuations",
    "InputError",
    "Inputs",
    "JointLaw",
    "Mixture",
    "Observables",
    "Overlaps",
    "Problem",
    "Quantity",
    "Responses",
    "Schedule",
    "Source",
    "Status",
    "Student",
    "SumOfUnits",
    "Task",
    "Trajectory",
    "XorMixture",
    "coupon_law",
    "entry_names",
    "from_vector",
    "means_right",
    "problem_from_tables",
    "problem_to_tables",
    "psd_violation",
    "quantities",
    "random_overlaps",
    "rank_units",
    "start_law",
    "to_vector",
    "tune_compiler",
    "versions",
]
