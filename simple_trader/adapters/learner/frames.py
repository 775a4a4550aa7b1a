"""What daemon and learner process say to each other: length-prefixed msgpack of tagged structs.

A frame is four bytes of length (big endian) and so many bytes of msgpack. No pickle anywhere.
"""

import struct
from datetime import datetime

import msgspec

from simple_trader.adapters.learner.rows import TrainingRow
from simple_trader.domain.actions import Lesson, PredictFor
from simple_trader.domain.predictions import ModelOf, Prediction

MAX_FRAME_BYTES = 67_108_864
ROWS_PER_FRAME = 1_000
HEADER = struct.Struct(">I")


class FrameError(Exception):
    """The bytes are no frame of ours."""


class Predict(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Learn the lessons, then predict."""

    number: int
    lessons: tuple[Lesson, ...]
    items: tuple[PredictFor, ...]
    horizons: tuple[int, ...]
    cycle_s: int


class Use(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Predict with this model from now on."""

    number: int
    model_id: str
    sha256: str
    blob: bytes


class Rows(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Some rows of the history to train on; no answer."""

    rows: tuple[TrainingRow, ...]


class Train(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Train on all rows sent so far; the last frame of a training process."""

    number: int
    since: datetime
    until: datetime
    horizons: tuple[int, ...]
    cycle_s: int
    min_rows: int


class Ready(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The process has imported everything; `rss_mib` is its memory."""

    rss_mib: float


class Predicted(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer to Predict; `blob` is the model after the lessons, empty when nothing was learned."""

    number: int
    predictions: tuple[Prediction, ...]
    learned: int
    refused: int
    diverged: tuple[ModelOf, ...]
    drifted: tuple[ModelOf, ...]
    blob: bytes
    sha256: str


class Using(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer to Use; `refused` says why not, empty when it is in use."""

    number: int
    refused: str


class Trained(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer to Train."""

    number: int
    model_id: str
    sha256: str
    blob: bytes
    rows: int
    metrics: dict[str, float]


class TooFew(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """Answer to Train: no model."""

    number: int
    detail: str


class Broken(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """The process could not do what was asked, and why."""

    number: int
    detail: str


Request = Predict | Use | Rows | Train
Reply = Ready | Predicted | Using | Trained | TooFew | Broken

_ENCODER = msgspec.msgpack.Encoder()
_REQUESTS = msgspec.msgpack.Decoder(Request)
_REPLIES = msgspec.msgpack.Decoder(Reply)


def encode(message: Request | Reply) -> bytes:
    """A whole frame; raises FrameError when it would be too long."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(body)} bytes is too long")
    return HEADER.pack(len(body)) + body


def body_length(header: bytes) -> int:
    """The length that a header announces; raises FrameError."""
    (length,) = HEADER.unpack(header)
    if length > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {length} bytes is announced")
    return int(length)


def decode_request(body: bytes) -> Request:
    """Raises FrameError."""
    try:
        request: Request = _REQUESTS.decode(body)
    except msgspec.DecodeError as error:
        raise FrameError(f"no request: {error}") from error
    return request


def decode_reply(body: bytes) -> Reply:
    """Raises FrameError."""
    try:
        reply: Reply = _REPLIES.decode(body)
    except msgspec.DecodeError as error:
        raise FrameError(f"no reply: {error}") from error
    return reply
