"""Planted bugs of the one writer: commits, epochs, lock, journal, nonces, pauses, kept halts."""

import msgspec
from planted.patching import Bug, always

_STORE = "simple_trader.adapters.store"


def _fate(landed: bool):
    """A commit without an answer is believed instead of read back."""

    def make(was_committed):
        async def bug(self, xid, seq):
            await was_committed(self, xid, seq)
            return landed

        return bug

    return make


def _writes_twice(write):
    """A transaction whose commit was answered is written again."""

    async def bug(self, epoch, segment, batches):
        await write(self, epoch, segment, batches)
        await write(self, epoch, segment, batches)

    return bug


def _same_epoch(journal_end):
    async def bug(self, connection):
        _, last_seq, chain = await journal_end(self, connection)
        await connection.execute("UPDATE writer_epoch SET epoch = 77")
        return 77, last_seq, chain

    return bug


def _old_chain(make_segment):
    """The hash runs over the payload and forgets what was before."""

    def bug(batches, *, prev_seq, chain):
        return make_segment(batches, prev_seq=prev_seq, chain=bytes(32))

    return bug


def _wall_nonce(next_):
    """Nonces are the machine's clock, whatever was used before."""

    def bug(self):
        from datetime import timedelta

        from simple_trader.domain.moments import EPOCH

        return (self._wall() - EPOCH) // timedelta(microseconds=1)

    return bug


def _no_lock(take_lock):
    async def bug(self, session):
        return None

    return bug


def _no_gap(on_gap):
    return lambda self, gap_s: None


def _drops_some(put):
    """A batch whose number ends in 7 never reaches the journal's queue."""

    def bug(self, batch):
        if batch.seq % 10 == 7 and b'"ExecutionReport"' in batch.event:
            self._put_seq = batch.seq
            return
        put(self, batch)

    return bug


def _halt_forgotten(risk):
    """A start begins with a clean risk memory."""

    async def bug(connection):
        from simple_trader.domain.memory import RiskMemory

        await risk(connection)
        return RiskMemory()

    return bug


def _resumes_itself(restate):
    """A halt is lifted when nothing else holds trading back."""

    def bug(state, at):
        if state.memory.halted and state.health.reconciled:
            state.memory = msgspec.structs.replace(state.memory, halted=False, halt_reason=None)
        return restate(state, at)

    return bug


BUGS = (
    Bug(
        "halt-forgotten-by-restart",
        "a restart lifts the halt",
        (("simple_trader.adapters.store.recovery:_risk", _halt_forgotten),),
        ("I-24", "I-28", "I-23", "I-33"),
        plan=((8, "halt 80"), (10, "kill now")),
    ),
    Bug(
        "resumes-by-itself",
        "a halt lifts itself when the account is reconciled",
        (("simple_trader.core.reactions.standing:restate", _resumes_itself),),
        ("I-24", "I-28"),
        plan=((10, "halt 100"), (12, "kill now")),
    ),
    Bug(
        "unknown-commit-landed",
        "a commit without an answer is taken as done",
        ((f"{_STORE}.ledger_lane:LedgerLane._was_committed", _fate(True)),),
        ("END", "I-01", "I-04", "I-11", "I-52"),
        plan=((3, "unknown_not_landed intent"),),
    ),
    Bug(
        "unknown-commit-aborted",
        "a commit without an answer is taken as undone",
        ((f"{_STORE}.ledger_lane:LedgerLane._was_committed", _fate(False)),),
        ("END", "I-52", "I-07"),
        plan=((3, "unknown_landed intent"),),
    ),
    Bug(
        "writes-twice",
        "every transaction is written twice",
        ((f"{_STORE}.lane_connection:AsyncpgLedgerConnection.write", _writes_twice),),
        ("END", "I-52"),
    ),
    Bug(
        "batch-dropped",
        "now and then the lane loses a batch with an execution",
        ((f"{_STORE}.ledger_lane:LedgerLane.put", _drops_some),),
        ("I-52", "I-11", "END"),
    ),
    Bug(
        "epoch-again",
        "a restart uses the epoch of the life before it",
        ((f"{_STORE}.recovery:Recovery._journal_end", _same_epoch),),
        ("I-02", "I-26", "END"),
        plan=((10, "kill now"),),
    ),
    Bug(
        "chain-forgets",
        "each segment of the journal begins a chain of its own",
        ((f"{_STORE}.ledger_lane:make_segment", _old_chain),),
        ("I-52", "END"),
    ),
    Bug(
        "nonce-by-the-clock",
        "nonces follow the machine's clock back",
        (("simple_trader.adapters.kraken.auth:Nonces.next", _wall_nonce),),
        ("I-48",),
        plan=((20, "step -3600"), (22, "N07 for_s=2")),
    ),
    Bug(
        "no-lock",
        "a second daemon may write too",
        ((f"{_STORE}.lane_connection:AsyncpgLedgerConnection._take_lock", _no_lock),),
        ("I-26",),
        plan=((20, "second"),),
    ),
    Bug(
        "pause-unnoticed",
        "a pause of the process changes nothing",
        (
            ("simple_trader.runtime.daemon:Daemon._on_gap", _no_gap),
            ("simple_trader.runtime.gate:LOOP_GAP_MAX_S", always(1e9)),
        ),
        ("I-27", "I-20"),
        plan=((56, "stop 8"),),
    ),
)
