"""The replayed market: one file for each pair, their ticks merged in time, stamps as in the data.

What lies inside a bar follows the rule of `replay_paths`. The market starts where every file has
its bars of history behind it: at the latest of these moments over all files. A file that ends
earlier than the others leaves its pair standing.
"""

import heapq
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from simple_trader.sandbox.replay_files import ReplayFile, scan
from simple_trader.sandbox.replay_track import Position, Track
from simple_trader.sandbox.sources import SourceError, Tick
from simple_trader.simulator.dice import stream_key
from simple_trader.simulator.instruments import INSTRUMENT_BY_SYMBOL, INSTRUMENTS, Instrument
from simple_trader.simulator.instruments import find_pair as find_known

_POSITIONS = msgspec.msgpack.Decoder(list[Position])


class ReplaySource:
    """Files as a market; it ends with the last of them.

    `files` are (pair, path); raises SourceError with one sentence on anything unusable.
    """

    def __init__(self, files: Sequence[tuple[str, Path]], history_bars: int, seed: int) -> None:
        self._tracks: list[Track] = []
        self.pairs: dict[str, Instrument] = {}
        for name, path in files:
            known = _known(name)
            if known.symbol in self.pairs:
                raise SourceError(f"--replay names {known.symbol} twice; give each pair one file.")
            file = scan(path, history_bars, known.altname)
            if history_bars < 1 or file.lead_row < 0:
                raise SourceError(
                    f"replay file {path.name} holds {file.blocks} bars, so the "
                    f"{history_bars} bars of history before the start leave nothing to replay."
                )
            pair = _fitted(known, file)
            self.pairs[known.symbol] = pair
            self._tracks.append(Track(file, pair, seed))
        self.world = _world(self._tracks)
        self.start = max(track.file.lead_at for track in self._tracks)
        for track in self._tracks:
            track.begin(self.start)
            if track.peek() is None:
                raise SourceError(
                    f"replay file {track.file.path.name} ends before the others begin: "
                    "the files of one replay must overlap."
                )

    def history(self) -> Iterable[Tick]:
        """Give the ticks before the start: `history_bars` bars of the file that starts last."""
        return heapq.merge(
            *(track.history(self.start) for track in self._tracks), key=lambda tick: tick.at
        )

    def next_at(self) -> int | None:
        """Give the stamp of the next tick, or None at the end of all files."""
        stamps = [tick.at for track in self._tracks if (tick := track.peek()) is not None]
        return min(stamps, default=None)

    def step(self) -> list[Tick]:
        """Give the ticks of the next moment, in the order of the files."""
        at = self.next_at()
        ticks: list[Tick] = []
        for track in self._tracks:
            tick = track.peek()
            if tick is not None and tick.at == at:
                ticks.append(tick)
                track.take()
        return ticks

    def save(self) -> bytes:
        """Give the position as bytes."""
        return msgspec.msgpack.encode([track.at for track in self._tracks])

    def restore(self, saved: bytes) -> None:
        """Go to a saved position."""
        try:
            positions = _POSITIONS.decode(saved)
        except msgspec.MsgspecError as error:
            raise SourceError(f"the saved market position cannot be read: {error}") from error
        if len(positions) != len(self._tracks):
            raise SourceError("the saved market position is that of other files")
        for track, position in zip(self._tracks, positions, strict=True):
            track.go(position)


def _known(name: str) -> Instrument:
    known = find_known(name, INSTRUMENT_BY_SYMBOL)
    if known is None:
        names = ", ".join(instrument.symbol for instrument in INSTRUMENTS)
        raise SourceError(f"--replay-pair {name} is unknown; choose one of {names}.")
    return known


def _fitted(known: Instrument, file: ReplayFile) -> Instrument:
    """Give the pair as it is when its prices are the file's: all their decimals, and trading."""
    precision = max(known.price_precision, file.decimals)
    unit = known.tick.scaleb(known.price_precision - precision)
    return msgspec.structs.replace(
        known, price_precision=precision, price_increment=unit, status="online", thin=False
    )


def _world(tracks: list[Track]) -> str:
    if len(tracks) == 1:
        return f"replay {tracks[0].file.digest}"
    parts = sorted(f"{track.pair.symbol}={track.file.digest}" for track in tracks)
    return f"replay of {len(tracks)} files {stream_key(0, *parts):016x}"
