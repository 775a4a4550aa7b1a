"""What risk remembers is empty by default and survives being written down."""

import msgspec
from brain_desk import T0, D

from simple_trader.domain.memory import RiskMemory
from simple_trader.domain.reasons import Reason


def test_a_new_account_remembers_nothing_bad() -> None:
    assert not RiskMemory().halted
    assert not RiskMemory().day_stopped
    assert RiskMemory().candle_guard == {}


def test_memory_survives_a_restart() -> None:
    memory = RiskMemory(
        halted=True,
        halt_reason=Reason.OPERATOR,
        loss_day=T0,
        day_start_equity=D("1000.5"),
        candle_guard={"BTC/USD buy": T0},
    )
    assert msgspec.json.decode(msgspec.json.encode(memory), type=RiskMemory) == memory
