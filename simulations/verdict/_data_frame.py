"""Deviations as a tidy table of pandas."""

import dataclasses
from collections.abc import Sequence

import pandas as pd

from ._evidence import Deviation

TEXTS = ("name", "kind")


def deviations_to_data_frame(deviations: Sequence[Deviation]) -> pd.DataFrame:
    """Return a row for each deviation, and a column for each field. See `Agreement.to_dataframe`."""
    names = [field.name for field in dataclasses.fields(Deviation)]
    kinds = {name: object if name in TEXTS else float for name in names}
    columns = {name: pd.Series([getattr(one, name) for one in deviations], dtype=kinds[name]) for name in names}
    frame = pd.DataFrame(columns)
    frame.attrs = {"units": {name: "samples / N" if name == "alpha" else "1" for name in names if name not in TEXTS}}
    return frame
