"""What was recovered is a value: it can be encoded and read back without loss."""

from datetime import UTC, datetime

import msgspec

from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.recovered import Recovered


def test_a_recovered_state_reads_back_as_it_was() -> None:
    at = datetime(2026, 3, 2, tzinfo=UTC)
    state = Recovered(
        epoch=3,
        last_seq=41,
        chain=b"\x00\xff",
        orders=(),
        lots=(),
        fills=(),
        seen_exec_ids=("TA", "TB"),
        balances={"USD": "1000.0000"},
        risk=RiskMemory(halted=True),
        last_cycle_at=at,
        last_training_at=None,
        last_trade_at=at,
        newest_at=at,
        pending_predictions=(),
        model=("logreg-1", "ab", b"{}"),
    )
    assert msgspec.json.decode(msgspec.json.encode(state), type=Recovered) == state
