"""The learner process: reads frames from stdin, answers on stdout, ends when stdin ends.

Started as `python -m simple_trader.adapters.learner.worker_main`. It holds no secret, opens no file
and no socket; killing it at any moment loses nothing that the daemon does not have.
"""

import os
import resource
import select
import signal
import sys
from pathlib import Path
from typing import assert_never

from simple_trader.adapters.learner.checkpoint import ModelRefused, hash_of, model_id_of
from simple_trader.adapters.learner.frames import (
    HEADER,
    Broken,
    FrameError,
    Predict,
    Predicted,
    Ready,
    Reply,
    Request,
    Rows,
    TooFew,
    Train,
    Trained,
    Use,
    Using,
    body_length,
    decode_request,
    encode,
)
from simple_trader.adapters.learner.online import OnlineModel
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.adapters.learner.trainer import TooFewRows, train

NICENESS = 10  # trading comes first
TRAINING_NICENESS = 9  # on top of it


class Learner:
    """The state of the process: the model in use and the rows sent for training."""

    def __init__(self, stdin: int) -> None:
        """`stdin` is watched while training, to end with the daemon."""
        self._stdin = stdin
        self._model = OnlineModel()
        self._rows: list[TrainingRow] = []

    def answer(self, request: Request) -> Reply | None:
        """The reply to one request."""
        match request:
            case Predict():
                return self._predict(request)
            case Use():
                return self._use(request)
            case Rows():
                self._rows.extend(request.rows)
                return None
            case Train():
                return self._train(request)
            case _:
                assert_never(request)

    def _predict(self, request: Predict) -> Predicted:
        taught = self._model.teach(request.lessons)
        predictions = self._model.predict(request.items, request.horizons, request.cycle_s)
        blob = self._model.predictor.to_blob() if request.lessons else b""
        return Predicted(
            number=request.number,
            predictions=predictions,
            learned=taught.learned,
            refused=taught.refused,
            diverged=taught.diverged,
            drifted=taught.drifted,
            blob=blob,
            sha256=hash_of(blob),
        )

    def _use(self, request: Use) -> Using:
        try:
            self._model.use(request.blob, request.sha256)
        except ModelRefused as error:
            return Using(number=request.number, refused=str(error))
        return Using(number=request.number, refused="")

    def _train(self, request: Train) -> Trained | TooFew:
        rows, self._rows = self._rows, []
        os.nice(TRAINING_NICENESS)  # this process only trains: it gives way to predictions, too
        try:
            training = train(
                rows,
                since=request.since,
                until=request.until,
                horizons=request.horizons,
                cycle_s=request.cycle_s,
                min_rows=request.min_rows,
                go_on=self._daemon_lives,
            )
        except TooFewRows as error:
            return TooFew(number=request.number, detail=str(error))
        blob = training.predictor.to_blob()
        sha256 = hash_of(blob)
        return Trained(
            number=request.number,
            model_id=model_id_of(sha256),
            sha256=sha256,
            blob=blob,
            rows=training.rows,
            metrics=training.metrics,
        )

    def _daemon_lives(self) -> bool:
        """Nothing is sent after Train, so readable means that the daemon is gone."""
        readable, _, _ = select.select([self._stdin], [], [], 0)
        return not readable


def rss_mib() -> float:
    """Memory of this process in MiB; the largest so far where /proc is not there."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    unit = 1024 if sys.platform != "darwin" else 1024 * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def read_exactly(stdin: int, count: int) -> bytes | None:
    """`count` bytes, or None at the end of the stream."""
    received = bytearray()
    while len(received) < count:
        piece = os.read(stdin, min(count - len(received), 1_048_576))
        if not piece:
            return None
        received += piece
    return bytes(received)


def write_all(stdout: int, frame: bytes) -> None:
    """The whole frame, also into a pipe that takes it in pieces."""
    view = memoryview(frame)
    while view:
        view = view[os.write(stdout, view) :]


def serve(stdin: int, stdout: int) -> None:
    """Answer until the stream ends; what one request breaks is told, not fatal."""
    learner = Learner(stdin)
    write_all(stdout, encode(Ready(rss_mib=rss_mib())))
    while (header := read_exactly(stdin, HEADER.size)) is not None:
        body = read_exactly(stdin, body_length(header))
        if body is None:
            return
        request = decode_request(body)
        try:
            reply = learner.answer(request)
        except (ArithmeticError, ValueError, TypeError, LookupError, AttributeError) as error:
            assert not isinstance(request, Rows)
            reply = Broken(number=request.number, detail=f"{type(error).__name__}: {error}"[:300])
        if reply is not None:
            write_all(stdout, encode(reply))


def main() -> int:
    """Run until stdin ends; 0 then and when the daemon is gone, 1 when it spoke no frames."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the daemon, which closes stdin
    os.nice(NICENESS)
    # Frames own the real stdout; whatever a library prints goes to stderr.
    stdin, stdout = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    try:
        serve(stdin, stdout)
    except BrokenPipeError:
        return 0
    except FrameError as error:
        sys.stderr.write(f"the learner was sent no frame: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
