"""Calibration: how often each confidence turned out right, as a fold over marks in event order."""

from bisect import bisect_right

import msgspec

from simple_trader.domain.marks import MarkSource, MarkTally

MIN_MARKS = 200  # below this the gate's threshold stands in for the calibrated confidence
MAX_SOURCES = 256  # providers name their models as they like: the state must not grow with it
BINS = 101


def source_key(source: MarkSource) -> str:
    """The key of a source: provider, model and prompt version; who asked does not matter."""
    return f"{source.provider}\n{source.model}\n{source.template_hash}"


def bin_of(confidence: float) -> int:
    """The bin of a confidence in [0, 1]: hundredths, rounded down."""
    return min(BINS - 1, max(0, int(confidence * 100)))


def read_off(blocks: list[tuple[int, float]], confidence: float) -> float:
    """The height of a rising step function at a confidence; 0 for one without steps."""
    at = bisect_right(blocks, bin_of(confidence), key=_first_bin)
    return blocks[max(0, at - 1)][1] if blocks else 0.0


def _first_bin(block: tuple[int, float]) -> int:
    return block[0]


class Tally(msgspec.Struct, kw_only=True):
    """Marks by bin of confidence, and those of them that were right."""

    marks: dict[int, int] = {}
    right: dict[int, int] = {}

    @property
    def total(self) -> int:
        """All marks."""
        return sum(self.marks.values())

    def add(self, index: int, marks: int, right: int) -> None:
        """Count marks of one bin."""
        self.marks[index] = self.marks.get(index, 0) + marks
        self.right[index] = self.right.get(index, 0) + right

    def calibrated(self, confidence: float) -> float:
        """How often decisions of this confidence were right: isotonic, by pooled neighbours.

        Pool adjacent violators over the bins gives the rising step function closest to what was
        seen (Ayer et al. 1955). A confidence between two blocks takes the lower one, below all of
        them the lowest; 0 without any mark.
        """
        return read_off(self.blocks(), confidence)

    def blocks(self) -> list[tuple[int, float]]:
        """The steps of the isotonic fit: first bin of the block, share that was right; rising."""
        pooled: list[tuple[int, int, int]] = []  # first bin, marks, right
        for index in sorted(self.marks):
            block = (index, self.marks[index], self.right[index])
            while pooled and pooled[-1][2] * block[1] >= block[2] * pooled[-1][1]:
                first, marks, right = pooled.pop()
                block = (first, marks + block[1], right + block[2])
            pooled.append(block)
        return [(first, right / marks) for first, marks, right in pooled]


class Calibration(msgspec.Struct, kw_only=True):
    """What is known of each source; part of EngineState, changed only by settled marks."""

    tallies: dict[str, Tally] = {}

    def begin(self, tallies: tuple[MarkTally, ...]) -> None:
        """Take up the counts of the rows at a start."""
        for item in tallies:
            self._of(item.source).add(item.bin, item.marks, item.right)
        self._forget()

    def learn(self, source: MarkSource, confidence: float, *, is_right: bool) -> None:
        """Count one settled mark of a purchase or sale at its own horizon."""
        self._of(source).add(bin_of(confidence), 1, int(is_right))
        self._forget()

    def _of(self, source: MarkSource) -> Tally:
        """The tally of a source, which is now the one marked last."""
        key = source_key(source)
        tally = self.tallies.pop(key, None)
        self.tallies[key] = tally = Tally() if tally is None else tally
        return tally

    def _forget(self) -> None:
        """Drop sources marked longest ago that are too little known to size by: no size changes."""
        surplus = len(self.tallies) - MAX_SOURCES
        if surplus <= 0:
            return
        unknown = [key for key, tally in self.tallies.items() if tally.total < MIN_MARKS]
        for key in unknown[:surplus]:
            del self.tallies[key]

    def marks(self, source: MarkSource) -> int:
        """How many marks are known of the source."""
        tally = self.tallies.get(source_key(source))
        return 0 if tally is None else tally.total

    def size_confidence(self, source: MarkSource, raw: float, threshold: float) -> float:
        """The confidence that sizes a trade: min(raw, calibrated), in [0, 1].

        With fewer than 200 marks of the source nothing is known of its confidence: then it is
        min(raw, `threshold`), the gate's own minimum (evaluation.md: never size by raw confidence).
        """
        tally = self.tallies.get(source_key(source))
        if tally is None or tally.total < MIN_MARKS:
            return min(raw, threshold)
        return min(raw, tally.calibrated(raw))
