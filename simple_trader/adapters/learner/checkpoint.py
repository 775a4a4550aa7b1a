"""A saved model as JSON: read without River, refused unless hash, shape and figures are right."""

import hashlib
import math

import msgspec

FORMAT = "simple-trader-trend-model"
VERSION = 1
MAX_BLOB_BYTES = 16_777_216


class ModelRefused(Exception):
    """A checkpoint is not what its hash says, or not a model of this version (C08)."""


class PairState(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Everything one pair's model knows: scaler moments and weights by feature name."""

    learned: int
    steps: int
    intercept: float
    weights: dict[str, float]
    counts: dict[str, int]
    means: dict[str, float]
    variances: dict[str, float]

    def fault(self) -> str:
        """What makes this no usable state, empty when nothing does."""
        if not self.counts.keys() == self.means.keys() == self.variances.keys():
            return "the moments do not name the same features"
        if not self.weights.keys() <= self.counts.keys():
            return "a weight has no moments"
        if min(self.counts.values(), default=1) < 1 or min(self.learned, self.steps) < 0:
            return "a count is not positive"
        if min(self.variances.values(), default=0.0) < 0:
            return "a variance is negative"
        if not self.is_finite():
            return "a figure is not finite"
        return ""

    def is_finite(self) -> bool:
        """Whether every figure is."""
        figures = (*self.weights.values(), *self.means.values(), *self.variances.values())
        return math.isfinite(self.intercept) and all(map(math.isfinite, figures))


class Checkpoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The JSON of a saved model."""

    format: str
    version: int
    horizon_s: int
    pairs: dict[str, PairState]


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
    for pair, state in checkpoint.pairs.items():
        if fault := state.fault():
            raise ModelRefused(f"the model of {pair} cannot be used: {fault}")
    return checkpoint


def hash_of(blob: bytes) -> str:
    """SHA-256 of a checkpoint, in hex."""
    return hashlib.sha256(blob).hexdigest()


def model_id_of(sha256: str) -> str:
    """The name of a trained model: its kind and the start of its hash."""
    return f"logreg-{sha256[:12]}"
