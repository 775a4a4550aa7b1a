"""Frames come back as they were, and what is no frame is refused."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from simple_trader.adapters.learner.frames import (
    HEADER,
    MAX_FRAME_BYTES,
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
    decode_reply,
    decode_request,
    encode,
)
from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.domain.actions import Lesson, PredictFor
from simple_trader.domain.predictions import ModelOf, Prediction

AT = datetime(2026, 3, 2, 1, 2, 3, 456789, tzinfo=UTC)
FEATURES = {"a": 0.1, "b": None}
REQUESTS: list[Request] = [
    Predict(
        number=1,
        lessons=(
            Lesson(
                pair="BTC/USD",
                horizon_cycles=2,
                horizon_s=1800,
                made_at=AT,
                known_at=AT,
                features=FEATURES,
                probability=0.5,
                outcome=1,
            ),
        ),
        items=(PredictFor(pair="BTC/USD", features=FEATURES),),
        horizons=(1, 2),
        cycle_s=900,
    ),
    Use(number=2, model_id="m", sha256="s", blob=b"\x00\xff"),
    Rows(
        rows=(
            TrainingRow(
                pair="BTC/USD", as_of=AT, mid=Decimal("1.20000000000000000001"), features=FEATURES
            ),
        )
    ),
    Train(number=3, since=AT, until=AT, horizons=(1, 2), cycle_s=60, min_rows=5),
]
REPLIES: list[Reply] = [
    Ready(rss_mib=12.5),
    Predicted(
        number=1,
        predictions=(Prediction(pair="BTC/USD", horizon_cycles=1, probability=0.25),),
        learned=1,
        refused=0,
        diverged=(ModelOf(pair="BTC/USD", horizon_s=900),),
        drifted=(),
        blob=b"{}",
        sha256="s",
    ),
    Using(number=2, refused=""),
    Trained(number=3, model_id="m", sha256="s", blob=b"{}", rows=9, metrics={"brier": 0.25}),
    TooFew(number=3, detail="d"),
    Broken(number=4, detail="d"),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_comes_back_as_it_was(request_: Request) -> None:
    frame = encode(request_)
    assert body_length(frame[: HEADER.size]) == len(frame) - HEADER.size
    assert decode_request(frame[HEADER.size :]) == request_


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_comes_back_as_it_was(reply: Reply) -> None:
    assert decode_reply(encode(reply)[HEADER.size :]) == reply


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"hello", b"\x80\x04K\x01."])
def test_other_bytes_are_refused(body: bytes) -> None:
    with pytest.raises(FrameError):
        decode_request(body)
    with pytest.raises(FrameError):
        decode_reply(body)


def test_a_frame_that_is_too_long_is_neither_sent_nor_waited_for() -> None:
    with pytest.raises(FrameError):
        body_length(HEADER.pack(MAX_FRAME_BYTES + 1))
    with pytest.raises(FrameError):
        encode(Use(number=1, model_id="m", sha256="s", blob=bytes(MAX_FRAME_BYTES)))
