"""What a user can ask of the compiler: small loops in one piece, and compiled programs that outlive the process."""

import os
from pathlib import Path

import jax

from ._errors import InputError

SMALL_LOOP = "xla_cpu_small_while_loop_byte_threshold"
BYTES = 2**16  # numbers that one turn of a loop may touch, to be compiled in one piece; XLA's default is 2^10


def tune_compiler(cache: str | Path | None = None) -> None:
    """Compile loops of small steps in one piece, and keep compiled programs in the folder `cache`, if given.

    On a CPU, XLA runs each operation of a loop as a call of its own, which for narrow students takes longer than what
    is computed: in one piece a solve of K = 2 takes a half or a third of the time. Results change by rounding at most.
    It sets XLA_FLAGS (what stands there stays) and `jax_compilation_cache_dir` for this process and those it starts,
    so nothing else calls it but the command line: call it first, or set them yourself,
      export XLA_FLAGS=--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=65536

    Solves are kept only with EQX_ON_ERROR=nan in the environment before the start: else they call back to Python to
    check themselves, and JAX keeps no such program.

    Raises InputError if JAX has computed something already, which fixes XLA_FLAGS, and if `cache` cannot be made.
    """
    flags = os.environ.get("XLA_FLAGS", "")
    if SMALL_LOOP not in flags:
        if jax_has_started():
            raise InputError(
                "ts.tune_compiler() before JAX computes anything",
                "a call after it has",
                "call it first, after importing",
            )
        os.environ["XLA_FLAGS"] = f"{flags} --xla_backend_extra_options={SMALL_LOOP}={BYTES}".strip()
    if cache is None:
        return
    try:
        Path(cache).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("a folder for compiled programs", f"{cache} ({error.strerror})") from error
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(cache)  # of processes that this one starts
    jax.config.update("jax_compilation_cache_dir", str(cache))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.5)


def jax_has_started() -> bool:
    """Whether JAX has set up its devices, from when on XLA_FLAGS are not read any more."""
    from jax._src import xla_bridge  # JAX has no public name for it

    known = getattr(xla_bridge, "backends_are_initialized", None)
    return bool(known is not None and known())
