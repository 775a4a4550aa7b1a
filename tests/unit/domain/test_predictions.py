"""A pending prediction keeps what it was made from."""

import msgspec
from brain_desk import BTC, T0, D

from simple_trader.domain.predictions import PendingPrediction, Prediction


def test_a_pending_prediction_survives_a_restart() -> None:
    made = PendingPrediction(
        prediction_id="p1",
        pair=BTC,
        cycle_id="c1",
        made_at=T0,
        due_at=T0,
        horizon_cycles=4,
        horizon_s=3600,
        snapshot_id="s1",
        probability=0.5,
        base_rate=0.5,
        model_id="m",
        mid=D("50000.5"),
    )
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made), type=PendingPrediction) == made


def test_predictions_are_values() -> None:
    one, same = (Prediction(pair=BTC, horizon_cycles=1, probability=0.5) for _ in range(2))
    assert one == same
