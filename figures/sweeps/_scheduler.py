"""A Dask scheduler that somebody else started: how it is reached, and whether its workers are of this version.

Whoever reaches a Dask scheduler runs code on its workers. So an address that is neither of this machine nor encrypted
is said as what it is, and TLS can be asked for.
"""

import contextlib
import dataclasses
import importlib.metadata
import ipaddress
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import teacher_student as ts
from teacher_student import internal

PACKAGE = "teacher-student"
SECONDS_TO_ANSWER = 10


@dataclasses.dataclass(frozen=True)
class Tls:
    """The files by which a scheduler and its clients know each other: of the authority, a certificate and its key."""

    ca: Path
    cert: Path
    key: Path

    @staticmethod
    def of(ca: str | None, cert: str | None, key: str | None) -> "Tls | None":
        """Return the three files, or None where none is given. Raises InputError for some of them, or a missing one."""
        given = {"--tls-ca": ca, "--tls-cert": cert, "--tls-key": key}
        missing = [option for option, path in given.items() if path is None]
        if len(missing) == len(given):
            return None
        if missing:
            raise ts.InputError("all of --tls-ca, --tls-cert and --tls-key", f"none for {', '.join(missing)}")
        paths = [Path(str(path)).expanduser() for path in given.values()]
        for option, path in zip(given, paths, strict=True):
            if not path.is_file():
                raise ts.InputError(f"a file in PEM format for {option}", f"{path}, which is no file")
        return Tls(*paths)


@contextlib.contextmanager
def encrypted(address: str | None, tls: Tls | None) -> Iterator[Any]:
    """Give a client of the scheduler at `address` that speaks TLS alone; without `tls`, the address as it is."""
    if tls is None:
        yield address
        return
    if address is None:
        raise ts.InputError("--scheduler ADDRESS beside --tls-ca", "none", "local workers listen on this machine alone")
    import distributed

    security: Callable[..., Any] = distributed.Security
    files = {"tls_ca_file": str(tls.ca), "tls_client_cert": str(tls.cert), "tls_client_key": str(tls.key)}
    with connected(address, f"a Dask scheduler at {address}", security=security(require_encryption=True, **files)) as (
        client
    ):
        yield client


@contextlib.contextmanager
def connected(scheduler: Any, name: str, **options: Any) -> Iterator[Any]:
    """Give a client of a scheduler: of its address or cluster, or the client itself, which is left open.

    Arguments: name: in words, for an error. options: of distributed.Client.
    """
    import distributed

    if isinstance(scheduler, distributed.Client):
        yield scheduler
        return
    try:
        connect: Callable[..., Any] = distributed.Client
        client = connect(scheduler, timeout=SECONDS_TO_ANSWER, set_as_default=False, **options)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        reason = internal.first_line(error)
        raise ts.InputError(f"{name} that answers", reason, "check the address, or leave --scheduler out") from error
    with client:
        yield client


def note_on_openness(address: str) -> str:
    """Return what to say of an address that others can reach without TLS, or nothing."""
    if address.startswith(("tls://", "wss://", "inproc://")):
        return ""
    host = address.split("://")[-1].rsplit(":", 1)[0].strip("[]")
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return ""
    return "" if host == "localhost" else ", without TLS: whoever reaches it runs code there"


class SameVersion:
    """A check that every worker has this version of the package. Each worker is asked once, when it is first seen."""

    def __init__(self, client: Any):
        self.client, self.asked = client, set[str]()

    def require(self) -> None:
        """Raise InputError for a worker of another version, or without this package."""
        new = sorted(set(self.client.nthreads()) - self.asked)
        if not new:
            return
        here = importlib.metadata.version(PACKAGE)
        # A function of the standard library, which workers of any version know.
        versions = self.client.run(importlib.metadata.version, PACKAGE, workers=new, on_error="return")
        for worker, version in versions.items():
            if version != here:
                got = f"{version} at {worker}" if isinstance(version, str) else f"none at {worker}"
                raise ts.InputError(f"{PACKAGE} {here} on every worker", got, "install the same version there")
        self.asked |= set(new)
