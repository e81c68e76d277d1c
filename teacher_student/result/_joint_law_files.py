"""The joint law of a run and its responses as labelled variables."""

from typing import TYPE_CHECKING, Any

import numpy as np

from ._fluctuations import Fluctuations
from ._joint_law import JointLaw, Responses

if TYPE_CHECKING:
    import xarray as xr

LAW = {
    "propagator": (("alpha", "entry", "entry_2"), "derivative of the entries in those at the alpha before"),
    "innovation": (("alpha", "entry", "entry_2"), "N times the covariance that has come since the alpha before"),
    "slope": (("alpha", "measured", "entry"), "derivative of errors and accuracies in the entries"),
    "test_covariance": (("alpha", "measured", "measured_2"), "covariance of what one test sample adds"),
}
RESPONSES = {
    "increment": (("alpha", "entry", "number"), "response of the entries that has come since the alpha before"),
    "observed": (("alpha", "measured", "number"), "response of errors and accuracies at given overlaps"),
}


def joint_variables(fluctuations: Fluctuations) -> dict[str, Any]:
    """Return the variables of a data set, each with a leading dimension of scramblings; none where there is no law."""
    if fluctuations.laws is None or fluctuations.all_responses is None:
        return {}
    variables: dict[str, Any] = {}
    for part, names in ((fluctuations.laws, LAW), (fluctuations.all_responses, RESPONSES)):
        for name, (axes, text) in names.items():
            attributes = {"units": "1", "long_name": text}
            variables[f"law_{name}"] = (("scrambling", *axes), getattr(part, name), attributes)
    values = np.asarray(fluctuations.all_responses.values)[0]
    variables["law_number_value"] = ("number", values, {"units": "1", "long_name": "value of each number"})
    if fluctuations.scatter is not None:
        attributes = {"units": "1", "long_name": "theory under each scrambling, from the mean"}
        variables["law_scatter"] = (("scrambling", "alpha", "entry_or_measured"), fluctuations.scatter, attributes)
    if fluctuations.start_covariance is not None:
        attributes = {"units": "1", "long_name": "N times the covariance of the entries at the start"}
        variables["law_start_covariance"] = (("entry", "entry_2"), fluctuations.start_covariance, attributes)
    return variables


def joint_coordinates(fluctuations: Fluctuations) -> dict[str, list[str]]:
    """Return the names of the numbers that trajectories respond to."""
    return {} if fluctuations.all_responses is None else {"number": list(fluctuations.all_responses.names)}


def joint_from_xarray(dataset: "xr.Dataset") -> tuple[Any, ...]:
    """Return laws, responses, scatter and covariance of the start that `joint_variables` wrote, or None for each."""
    if "law_propagator" not in dataset:
        return None, None, None, None
    laws = JointLaw(*(dataset[f"law_{name}"].values for name in LAW))
    names = tuple(str(name) for name in dataset["number"].values)
    values = np.broadcast_to(dataset["law_number_value"].values, (len(laws.propagator), len(names)))
    responses = Responses(names, values, *(dataset[f"law_{name}"].values for name in RESPONSES))
    others = ("law_scatter", "law_start_covariance")
    return laws, responses, *(dataset[name].values if name in dataset else None for name in others)
