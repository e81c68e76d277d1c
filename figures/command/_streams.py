"""Standard output and error that cannot break a command: closed, full, a pipe nobody reads, or plain ASCII."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

from ._exit_codes import ExitCode


class Stream:
    """A text stream over another one, which notes what cannot be written in place of raising it.

    Hours of work must not be lost to a line of text. Who has closed the pipe of standard output wants no more of it,
    though: there BrokenPipeError is raised, so that the work ends too.
    """

    def __init__(self, stream: Any, *, pipe_matters: bool):
        self.stream, self.pipe_matters = stream, pipe_matters
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def write(self, text: str) -> int:
        """Write the text, with "?" for what the stream's encoding lacks."""
        try:
            self._write(text)
        except OSError as error:
            self._lose(error)
            self._stop_if_pipe_is_closed()
        return len(text)

    def _write(self, text: str) -> None:
        try:
            self.stream.write(text)
        except UnicodeEncodeError as error:  # a terminal of ASCII, and a level named in German
            self.stream.write(text.encode(error.encoding, "replace").decode(error.encoding))

    def flush(self) -> None:
        """Write what is left in the buffer."""
        try:
            self.stream.flush()
        except OSError as error:
            self._lose(error)
            self._stop_if_pipe_is_closed()

    @property
    def pipe_is_closed(self) -> bool:
        """Whether the reader of this output has gone."""
        return self.pipe_matters and isinstance(self.failure, BrokenPipeError)

    def _lose(self, error: OSError) -> None:
        """Note the first failure, and let the rest go nowhere, also what Python flushes when it ends."""
        self.failure = self.failure or error
        with contextlib.suppress(OSError, ValueError):
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self.stream.fileno())
            os.close(null)

    def _stop_if_pipe_is_closed(self) -> None:
        if self.pipe_is_closed:
            raise BrokenPipeError


class Streams:
    """The two streams of a command while it runs."""

    def __init__(self, out: Stream, err: Stream):
        self.out, self.err = out, err

    def code(self, code: Any) -> Any:
        """Return the exit code of a command that ended with `code`, once all its output is written.

        Output that was lost is a failure of its own, unless the command has failed anyway.
        """
        with contextlib.suppress(BrokenPipeError):
            self.out.flush()
        if self.out.pipe_is_closed:
            return ExitCode.CLOSED_PIPE
        if self.out.failure is not None and code in (None, ExitCode.FINE, ExitCode.NO):
            reason = self.out.failure.strerror or self.out.failure
            print(f"teacher-student: the output could not be written ({reason})", file=self.err)
            code = ExitCode.NOT_WRITTEN
        self.err.flush()
        return code


@contextlib.contextmanager
def unbreakable_streams() -> Iterator[Streams]:
    """Put streams that note what cannot be written in the place of sys.stdout and sys.stderr."""
    _fill_closed_descriptors()
    before = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        # None: the shell started us without one (`>&-`).
        out, err = (stack.enter_context(open(os.devnull, "w")) if stream is None else stream for stream in before)
        streams = Streams(Stream(out, pipe_matters=True), Stream(err, pipe_matters=False))
        sys.stdout, sys.stderr = streams.out, streams.err
        try:
            yield streams
        finally:
            sys.stdout, sys.stderr = before


def _fill_closed_descriptors() -> None:
    """Open the standard descriptors that are closed: else the next file opened takes the number, and gets the messages
    that compiled libraries write to it."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            with contextlib.suppress(OSError):
                os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
