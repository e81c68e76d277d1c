"""Dask in the open: what listens where, TLS, and workers of another version."""

import importlib.metadata
import ipaddress
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import psutil
import pytest

import figures
import teacher_student as ts
from figures.command._main import main
from figures.sweeps._scheduler import SameVersion, note_on_openness
from figures.sweeps._workers import start_workers

from . import build
from .sweep_files import BASE, toml

RATES = {"rate": {"sgd.learning_rate": [0.5, 1.0]}}


def sweep_file(folder: Path) -> Path:
    path = folder / "sweep.toml"
    path.write_text(toml(BASE | {"axes": RATES, "measures": {"keep": ["error"]}}))
    return path


def listening() -> set[str]:
    """The addresses on which this process and those below it listen."""
    processes = [psutil.Process(), *psutil.Process().children(recursive=True)]
    sockets = [one for process in processes for one in process.net_connections("inet")]
    return {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}


def test_local_workers_listen_on_this_machine_alone() -> None:
    before = listening()
    with start_workers(None, 2, 2) as workers:
        assert workers.description == "2 local processes"
        addresses = listening() - before
        assert addresses
        assert all(ipaddress.ip_address(address).is_loopback for address in addresses), addresses


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:8786", False),
        ("tcp://[::1]:8786", False),
        ("tcp://localhost:8786", False),
        ("tls://10.0.0.7:8786", False),
        ("inproc://10.0.0.7/1/2", False),
        ("tcp://10.0.0.7:8786", True),
        ("10.0.0.7:8786", True),
        ("tcp://[fe80::1]:8786", True),
        ("ucx://node17:8786", True),
        ("ws://node17:8786", True),
    ],
)
def test_an_address_that_others_reach_without_tls_is_said_to_be_one(address: str, said: bool) -> None:
    assert ("whoever reaches it runs code" in note_on_openness(address)) == said


@pytest.fixture(scope="module")
def secured() -> Iterator[tuple[Any, Any]]:
    """A scheduler that speaks TLS alone, with one worker, and its security."""
    security: Any = build.unchecked(distributed.Security.temporary)()
    cluster: Any = build.unchecked(distributed.LocalCluster)(
        n_workers=1, threads_per_worker=1, processes=False, protocol="tls://", security=security, dashboard_address=None
    )
    with cluster:
        yield cluster, security


def files_of(security: Any, folder: Path) -> list[str]:
    """The command line's options with the files of a security, which are written."""
    options = []
    for option, text in (
        ("--tls-ca", security.tls_ca_file),
        ("--tls-cert", security.tls_client_cert),
        ("--tls-key", security.tls_client_key),
    ):
        path = folder / f"{option[6:]}.pem"
        path.write_text(text)
        options += [option, str(path)]
    return options


@pytest.mark.slow
def test_a_scheduler_with_tls_gives_the_same_numbers(
    secured: tuple[Any, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the three files on the command line, by a cluster and by a client in Python."""
    cluster, security = secured
    alone = figures.sweep(BASE, RATES, ["error"], workers=0, progress=False)
    file = sweep_file(tmp_path)
    out = tmp_path / "out.zarr"
    where = ["--scheduler", cluster.scheduler_address, *files_of(security, tmp_path)]
    assert main(["sweep", str(file), "--out", str(out), *where]) == 0
    assert "workers of tls://" in capsys.readouterr().out
    np.testing.assert_array_equal(figures.open_sweep(out)["error"], alone["error"])
    by_cluster = figures.sweep(BASE, RATES, ["error"], scheduler=cluster, progress=False)
    np.testing.assert_array_equal(by_cluster["error"], alone["error"])
    with build.unchecked(distributed.Client)(cluster, set_as_default=False) as client:
        by_client = figures.sweep(BASE, RATES, ["error"], scheduler=client, progress=False)
        np.testing.assert_array_equal(by_client["error"], alone["error"])
        assert client.status == "running"  # it is the user's, and stays open


def test_tls_that_cannot_be_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = sweep_file(tmp_path)
    pem = tmp_path / "some.pem"
    pem.write_text("no certificate")
    three = ["--tls-ca", str(pem), "--tls-cert", str(pem), "--tls-key", str(pem)]
    for options, message in (
        (["--scheduler", "tls://127.0.0.1:1", "--tls-ca", str(pem)], "none for --tls-cert, --tls-key"),
        (["--scheduler", "tls://127.0.0.1:1", *three[:-1], "nowhere.pem"], "nowhere.pem, which is no file"),
        (three, "--scheduler ADDRESS beside --tls-ca"),
        (["--scheduler", "tls://127.0.0.1:1", *three], "a Dask scheduler at tls://127.0.0.1:1 that answers"),
        (["--scheduler", "tcp://127.0.0.1:1", *three], "a Dask scheduler at tcp://127.0.0.1:1 that answers"),
    ):
        assert main(["sweep", str(file), "--out", str(tmp_path / "out.zarr"), *options]) == 2, options
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1, captured.err
    assert not (tmp_path / "out.zarr").exists()


class OneWorker:
    """A client whose only worker answers with `version`."""

    def __init__(self, version: Any):
        self.version, self.asked = version, 0

    def nthreads(self) -> dict[str, int]:
        return {"tcp://10.0.0.7:1": 1}

    def run(self, function: Any, *arguments: Any, workers: list[str], on_error: str) -> dict[str, Any]:
        assert (function, arguments, on_error) == (importlib.metadata.version, ("teacher-student",), "return")
        self.asked += 1
        return dict.fromkeys(workers, self.version)


@pytest.mark.parametrize(
    ("version", "got"),
    [("0.1.0", "0.1.0 at tcp://10.0.0.7:1"), (importlib.metadata.PackageNotFoundError("x"), "none at tcp")],
)
def test_a_worker_of_another_version_is_refused(version: Any, got: str) -> None:
    with pytest.raises(ts.InputError, match="on every worker") as refused:
        SameVersion(OneWorker(version)).require()
    assert got in str(refused.value)


def test_a_worker_of_this_version_is_asked_once() -> None:
    client = OneWorker(importlib.metadata.version("teacher-student"))
    check = SameVersion(client)
    check.require()
    check.require()
    assert client.asked == 1


def test_two_sweeps_at_a_time_take_no_port_from_each_other(recwarn: pytest.WarningsRecorder) -> None:
    """Dask would take 8787 for both, and warn of the second."""
    before = ports()  # the cluster of another test may have it
    with start_workers(None, 1, 2), start_workers(None, 1, 2):
        assert 8787 not in ports() - before
    assert not [warning for warning in recwarn if "in use" in str(warning.message)]


def ports() -> set[int]:
    """The ports on which this process listens."""
    sockets = psutil.Process().net_connections("inet")
    return {one.laddr.port for one in sockets if one.status == psutil.CONN_LISTEN}
