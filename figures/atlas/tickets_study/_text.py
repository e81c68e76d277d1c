"""The numbers of the pruning study in words, with intervals."""

import numpy as np
import xarray as xr

from .._foreign_data import takes_data_of


@takes_data_of("tickets")
def tickets_text(dataset: xr.Dataset) -> str:
    """Write accuracies of pruned students, successes of tickets and controls, and whether the engines agree, as text.

    Arguments: dataset: of `tickets_data`.
    """
    return "\n\n".join([_pruned(dataset), _retrained(dataset), _alone(dataset), _contrasts(dataset), _verdict(dataset)])


def _pruned(dataset: xr.Dataset) -> str:
    starts, runs, dim = dataset.sizes["start"], dataset.sizes["run"], dataset.attrs["dim"]
    rows = [
        f"accuracy of the n units kept of {int(dataset['kept'].max())}, mean +- standard error; theory: {starts} "
        f"starts, simulation: {runs} runs at N = {dim}; Bayes accuracy {dataset.attrs['bayes_accuracy']:.4f}"
    ]
    kept = [n for n in dataset["kept"].values.tolist() if n in (1, 2, 3, 4, 6, 8, 20, 40)]
    data = dataset.sel(kept=kept)
    for setting in data["setting"].values.tolist():
        for ranking in data["ranking"].values.tolist():
            of_ranking = data.sel(ranking=ranking)
            rows.append(_line(f"{setting}, {ranking}", of_ranking["accuracy"].sel(setting=setting), "start", kept))
            if setting == data["setting"].values[0]:
                rows.append(_line("  simulation", of_ranking["simulated_accuracy"], "run", kept))
    return "\n".join(rows)


def _retrained(dataset: xr.Dataset) -> str:
    rows = [f"after a retraining of alpha = {dataset.attrs['retraining_alpha']:g} (theory)"]
    for setting in dataset["setting"].values.tolist():
        for ranking in dataset["ranking"].values.tolist():
            again = dataset["retrained_accuracy"].sel(setting=setting, ranking=ranking)
            rows.append(_line(f"{setting}, {ranking}", again, "start", dataset["short"].values.tolist()))
    return "\n".join(rows)


def _alone(dataset: xr.Dataset) -> str:
    rows = ["n units trained alone from the start: share with all four means right [95 % Wilson interval]"]
    for engine in dataset["engine"].values.tolist():
        for setting in dataset["setting"].values.tolist():
            for n in dataset["short"].values.tolist():
                tickets = dataset.sel(engine=engine, setting=setting, short=n)
                if not np.isnan(tickets["success"]).all():
                    rows.append(f"{engine}, {setting}, n = {n}: {_shares(tickets)}")
    return "\n".join(rows)


def _shares(tickets: xr.Dataset) -> str:
    numbers = (tickets[name].values for name in ("candidate", "success", "success_low", "success_high"))
    return "; ".join(f"{name}: {p:.3f} [{low:.3f}, {high:.3f}]" for name, p, low, high in zip(*numbers, strict=True))


def _contrasts(dataset: xr.Dataset) -> str:
    rows = ["ticket minus control: difference of shares +- standard error (exact paired p)"]
    n = int(dataset["short"][0])
    for contrast in dataset["contrast"].values.tolist():
        difference = dataset.isel(engine=0, setting=0, short=0).sel(contrast=contrast)
        value, se, p = (float(difference[name]) for name in ("difference", "difference_se", "difference_p"))
        rows.append(f"theory, n = {n}, {contrast}: {value:+.3f} +- {se:.3f} (p = {p:.2g})")
    return "\n".join(rows)


def _verdict(dataset: xr.Dataset) -> str:
    z, word = dataset["agreement_z"], "agree" if bool(dataset["agrees"]) else "disagree"
    family, p = int(dataset["agreement_family"]), float(dataset["agreement_family_p"])
    return (
        f"theory and simulation {word}: largest |z| {float(np.abs(z).max()):.2f} of {family} accuracies, family-wise "
        f"p = {p:.2g}, significance {dataset.attrs['significance']}; mean z {float(z.mean()):+.2f}"
    )


def _line(name: str, values: xr.DataArray, over: str, kept: list[int]) -> str:
    mean, error = values.mean(over).values, (values.std(over, ddof=1) / np.sqrt(values.sizes[over])).values
    cells = (f"n={n} {m:.3f} +- {e:.3f}" for n, m, e in zip(kept, mean, error, strict=True))
    return f"{name:<26}" + "  ".join(cells)
