"""What a user can ask of the compiler: small loops in one piece, and compiled programs that outlive the process.

All of it is said to JAX by environment variables where JAX is not loaded yet (importing it takes a second, which bad
input need not wait for), so that processes started by this one do the same; and by its configuration where it is.
"""

import os
import sys
from pathlib import Path
from typing import Any

from ._errors import InputError
from ._kept_programs import open_folder, users_own, usual_folder
from ._places import as_path

SMALL_LOOP = "xla_cpu_small_while_loop_byte_threshold"
BYTES = 2**16  # numbers that one turn of a loop may touch, to be compiled in one piece; XLA's default is 2^10
LARGEST = 2**30  # bytes of kept programs; those that were not used for longest go first
SHORTEST = 0.05  # seconds that a program took to compile, to be kept: reading one takes a few milliseconds


def tune_compiler(cache: bool | str | Path | None = None) -> None:
    """Compile loops of small steps in one piece and, if asked, keep compiled programs for the next start.

    On a CPU, XLA runs each operation of a loop as a call of its own, which for narrow students takes longer than what
    the operation computes. In one piece a solve of K = 2 takes a half or a third of the time. Results change by
    rounding at most.

    The function acts on this process and on those it starts, by XLA_FLAGS (what stands there stays) and by JAX's
    configuration, which nothing else of ours touches (but for the flag without which jaxlib 0.10.2 sums wrongly). Call
    it first. JAX keeps only programs that do not call back to Python. So where programs are kept, Equinox's checks
    inside compiled programs (`equinox.error_if`, in your own functions too) give NaN in place of an exception. Our
    functions report what they find as a status, either way.

    Arguments:
      cache: True keeps programs in your cache folder, or where the variable TEACHER_STUDENT_CACHE says ("off": not at
        all), or, if you have set JAX_COMPILATION_CACHE_DIR, as JAX is told to. A path keeps them in that folder, which
        is to hold nothing else. None keeps none. At most 1 GiB is kept. A folder that cannot be used costs a warning.

    Raises InputError if JAX has computed something already, which fixes XLA_FLAGS.
    """
    folder = usual_folder() if cache is True else None if cache is None or cache is False else as_path(cache)
    _compile_small_loops_whole()
    if cache is True and users_own():
        _let_programs_be_kept()
        return
    if folder is not None and open_folder(folder):
        _keep_programs(folder)
        _let_programs_be_kept()


def _compile_small_loops_whole() -> None:
    flags = os.environ.get("XLA_FLAGS", "")
    if SMALL_LOOP in flags:
        return
    if jax_has_started():
        required, remedy = "ts.tune_compiler() before JAX computes anything", "call it first, after importing"
        raise InputError(required, "a call after it has", remedy)
    os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_extra_options={SMALL_LOOP}={BYTES}".strip()


def _keep_programs(folder: Path) -> None:
    settings = {
        "jax_compilation_cache_dir": str(folder),
        "jax_compilation_cache_max_size": LARGEST,
        "jax_persistent_cache_min_compile_time_secs": SHORTEST,
        "jax_persistent_cache_min_entry_size_bytes": -1,
    }
    os.environ.update({name.upper(): str(value) for name, value in settings.items()})
    if "jax" in sys.modules:
        _reconfigure_jax(settings)


def _reconfigure_jax(settings: dict[str, Any]) -> None:
    import jax
    from jax.experimental.compilation_cache import compilation_cache

    for name, value in settings.items():
        jax.config.update(name, value)  # type: ignore[no-untyped-call]  # JAX leaves it untyped
    compilation_cache.reset_cache()  # it may have been opened, or found missing, before


def _let_programs_be_kept() -> None:
    """Switch off Equinox's checks, which call back to Python to raise: JAX keeps no program that does so."""
    os.environ.setdefault("EQX_ON_ERROR", "nan")  # read when Equinox is imported
    errors = sys.modules.get("equinox._errors")  # it was; Equinox has no public name for what it has read
    if getattr(errors, "EQX_ON_ERROR", None) == "raise":  # anything else was chosen by the user
        errors.EQX_ON_ERROR = os.environ["EQX_ON_ERROR"]  # type: ignore[union-attr]


def jax_has_started() -> bool:
    """Return whether JAX has set up its devices. From then on it does not read XLA_FLAGS any more."""
    bridge = sys.modules.get("jax._src.xla_bridge")  # JAX has no public name for it
    known = getattr(bridge, "backends_are_initialized", None)
    return bool(known is not None and known())
