"""From options to a running fault script: the command line's faults, a file's, drawn ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from simple_trader.sandbox.exchange import Exchange
from simple_trader.sandbox.faults.chaos import Chaos, read_chaos
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.script import Script
from simple_trader.sandbox.faults.spec import FaultError, Spec, read_file, read_lines
from simple_trader.sandbox.faults.trigger import Now
from simple_trader.sandbox.recording import Recorder
from simple_trader.sandbox.settings import SandboxError, SandboxOptions

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Faulted:
    """What a server needs of faults and recording."""

    def __init__(self, script: Script, recorder: Recorder | None, chaos: Chaos | None) -> None:
        self.script = script
        self.recorder = recorder
        self._chaos = chaos

    def drawn(self) -> list[Spec]:
        """Give the faults that chaos draws for this moment."""
        return [] if self._chaos is None else self._chaos.due(self.script.now())


def read_faults(options: SandboxOptions) -> list[Spec]:
    """Read all faults that the options name; raises SandboxError with one sentence."""
    try:
        if options.chaos is not None:
            read_chaos(options.chaos)
        specs = [] if options.fault_file is None else read_file(options.fault_file)
        return specs + read_lines(options.faults)
    except FaultError as error:
        raise SandboxError(str(error)) from error


@contextmanager
def faulted(
    exchange: Exchange, options: SandboxOptions, wall: Callable[[], datetime]
) -> Iterator[Faulted]:
    """Set the faults of the options and open the recording while inside; raises SandboxError."""
    specs = read_faults(options)

    def now() -> Now:
        return Now(exchange.now_us(), (wall() - _EPOCH).total_seconds())

    script = Script(exchange.venue.state.seed, Desk(exchange), now, wall)
    chaos = None
    if options.chaos is not None:
        chaos = Chaos(*read_chaos(options.chaos), now())
    recorder = None
    if options.record is not None:
        recorder = Recorder(options.record, wall, exchange.now_us, world=exchange.world)
        script.heard = recorder.fault
    for spec in specs:
        script.start(spec)
    try:
        yield Faulted(script, recorder, chaos)
    finally:
        if recorder is not None:
            recorder.close()
