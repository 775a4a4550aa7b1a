"""A saved model as JSON: read without River, refused unless hash, shape and figures are right."""

import hashlib
import math

import msgspec

FORMAT = "simple-trader-trend-model"
VERSION = 2
MAX_BLOB_BYTES = 16_777_216


class ModelRefused(Exception):
    """A checkpoint is not what its hash says, or not a model of this version (C08)."""


class PairState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything one model knows: moments of the scaler and weight of each feature, by place."""

    learned: int
    steps: int
    intercept: float
    names: list[str]
    weights: list[float]
    counts: list[int]
    means: list[float]
    variances: list[float]

    def fault(self) -> str:
        """What makes this no usable state, empty when nothing does."""
        columns = (self.weights, self.counts, self.means, self.variances)
        if any(len(column) != len(self.names) for column in columns):
            return "not every feature has its weight and moments"
        if len(set(self.names)) != len(self.names):
            return "a feature is there twice"
        if min(self.counts, default=1) < 1 or min(self.learned, self.steps) < 0:
            return "a count is not positive"
        if min(self.variances, default=0.0) < 0:
            return "a variance is negative"
        if not self.is_finite():
            return "a figure is not finite"
        return ""

    def is_finite(self) -> bool:
        """Whether every figure is."""
        figures = (self.intercept, *self.weights, *self.means, *self.variances)
        return all(map(math.isfinite, figures))


class Checkpoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The JSON of a saved model: its states by pair and horizon in seconds."""

    format: str
    version: int
    models: dict[str, dict[int, PairState]]


def read_checkpoint(blob: bytes, sha256: str) -> Checkpoint:
    """The checkpoint in `blob`; raises ModelRefused for a wrong hash, shape or figure (C08)."""
    if len(blob) > MAX_BLOB_BYTES:
        raise ModelRefused(f"the model is longer than {MAX_BLOB_BYTES} bytes")
    found = hash_of(blob)
    if found != sha256:
        raise ModelRefused(f"the model's hash is {found[:12]}, not {sha256[:12]}")
    try:
        checkpoint = msgspec.json.decode(blob, type=Checkpoint)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ModelRefused(f"the model cannot be read: {error}") from error
    if (checkpoint.format, checkpoint.version) != (FORMAT, VERSION):
        raise ModelRefused(
            f"the model is {checkpoint.format!r} version {checkpoint.version}, "
            f"not {FORMAT!r} version {VERSION}"
        )
    for pair, states in checkpoint.models.items():
        for horizon_s, state in states.items():
            if fault := state.fault():
                raise ModelRefused(
                    f"the model of {pair} over {horizon_s} s cannot be used: {fault}"
                )
    return checkpoint


def fault_of(blob: bytes, sha256: str) -> str:
    """Why a checkpoint cannot be used, empty where it can."""
    try:
        read_checkpoint(blob, sha256)
    except ModelRefused as error:
        return str(error)
    return ""


def hash_of(blob: bytes) -> str:
    """SHA-256 of a checkpoint, in hex."""
    return hashlib.sha256(blob).hexdigest()


def model_id_of(sha256: str) -> str:
    """The name of a trained model: its kind and the start of its hash."""
    return f"logreg-{sha256[:12]}"
