"""The market of a sandbox on the command line: what it replays, its weather, its pairs."""

from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from simple_trader.domain.errors import ConfigError

REPLAY_PAIR = "BTC/USD"

ReplaysOption = Annotated[
    list[str] | None,
    typer.Option(
        "--replay",
        metavar="[PAIR=]FILE",
        help="Replay this OHLCVT, trades or OHLCV CSV (.gz, .zip); again for each further pair.",
    ),
]
RegimeOption = Annotated[
    str | None,
    typer.Option(
        "--regime",
        metavar="NAME",
        help="Weather of the generated market: mixed, calm, trend, chop, crash or thin.",
    ),
]
PairsOption = Annotated[
    str | None,
    typer.Option("--pairs", metavar="A/B,C/D", help="Trade these pairs only, not the whole table."),
]


class MarketChoice(NamedTuple):
    """What was asked of a sandbox's market, ready for its options."""

    replays: tuple[tuple[str, Path], ...]
    regime: str | None
    pairs: tuple[str, ...]


def market_choice(
    replay: list[str] | None, replay_pair: str | None, regime: str | None, pairs: str | None
) -> MarketChoice:
    """Read the options; ConfigError or BadParameter with one sentence when they do not fit."""
    files = tuple(_replay(text, replay_pair) for text in replay or ())
    if regime is not None and files:
        raise typer.BadParameter("--regime is weather of the generated market, not of a --replay")
    if replay_pair is not None and len(files) != 1:
        raise typer.BadParameter("--replay-pair needs one --replay FILE; else write PAIR=FILE")
    names = tuple(pair_name(name, "--pairs") for name in (pairs or "").split(",") if name.strip())
    return MarketChoice(files, regime, names)


def _replay(text: str, replay_pair: str | None) -> tuple[str, Path]:
    pair, sign, rest = text.partition("=")
    # A file may have an equals sign in its name.
    if sign and not Path(text).exists():
        return pair_name(pair, f"--replay {text}"), readable(Path(rest))
    name = REPLAY_PAIR if replay_pair is None else pair_name(replay_pair, "--replay-pair")
    return name, readable(Path(text))


def readable(path: Path) -> Path:
    """Give the absolute path of a replay file that can be opened; ConfigError otherwise."""
    try:
        with path.open("rb"):
            return path.absolute()
    except OSError as error:
        raise ConfigError(f"--replay {path}: cannot be read ({error.strerror}).") from error


def pair_name(name: str, option: str) -> str:
    """Give a pair's name in capitals with its slash; ConfigError otherwise."""
    pair = name.strip().upper()
    base, slash, quote = pair.partition("/")
    if not (slash and base.isalnum() and quote.isalnum()):
        raise ConfigError(f"{option} {name}: write a pair such as BTC/USD.")
    return pair
