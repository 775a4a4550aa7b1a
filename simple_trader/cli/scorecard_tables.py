"""The tables of the scorecard as text: figures where there are enough, and how to read them.

A table in which nothing has enough outcomes is one line that says how many there are and how many
are needed.
"""

from collections.abc import Iterable, Iterator, Sequence
from textwrap import wrap

from simple_trader.core.scoring.baselines import Profit
from simple_trader.core.scoring.judging import (
    MIN_FIT,
    MIN_INDEPENDENT,
    TOO_FEW,
    Direction,
    Forecasts,
)
from simple_trader.core.scoring.scorecard import Magnitude
from simple_trader.core.scoring.statistics import MIN_PER_BIN

_NAME = 18
_WIDTH = 100
FEWEST = 30  # independent outcomes below which no share, error or profit is shown

Directed = Sequence[tuple[str, Direction | None, Magnitude | None]]

# What in the text each explains, its name, and the words.
_INDEPENDENT = (
    "outcomes that overlap in time, or come right together, count once: below "
    f"{FEWEST} no figure is shown, below {MIN_INDEPENDENT} there is no verdict"
)
_OWN = "the horizon that a decision names itself, else the longest of the online model"
_CALLS = (
    "purchases and sales with a known outcome; a hold is no call, an answer used again no further "
    "one"
)
_RIGHT = "calls whose direction came true; 95 %: the true share lies there with that certainty"
_CHANCE = "what the same calls would hit at other moments; skill lies above it and above 50"
_VERDICT = (
    "the word at the end of a line: each line is judged alone, and one in thirty that know nothing "
    "says skill by luck; believe what several lines and later days say too"
)
_ROI_ERROR = (
    "how far predicted moves were off, in percent of the price; /zero: divided by the error of "
    "predicting no move at all, below 1 is better than that"
)
_OURS = (
    "mean profit of a decision in hundredths of a percent of its stake, after two taker fees and "
    "the spread; a hold makes 0, an answer used again is a stake of its own moment"
)
_HOLD = "having bought at the first moment and kept; having done nothing"
_MOMENTUM = "having followed the last move each time"
_RANDOM = "the same calls at other moments, the median of many deals"
_BETTER = "share of these deals that ours beat; below 95 % it may well be luck"
_BRIER = (
    "mean squared error of the probabilities, 0 is perfect; skill: its gain over always saying how "
    "often it came true (climatology), above 0 is better"
)
_CALIBRATION = (
    "mean gap between what was said and what came true, as it was said, and after a correction "
    "learned from earlier outcomes alone"
)
_SAVED = "losses and profits that the gates kept away; effect: saved less missed"
_LEGEND = (
    ("indep", "independent", _INDEPENDENT),
    (" own", "own", _OWN),
    ("direction, %", "calls", _CALLS),
    ("direction, %", "right", _RIGHT),
    ("direction, %", "chance", _CHANCE),
    ("direction, %", "verdict", _VERDICT),
    ("ROI error", "ROI error", _ROI_ERROR),
    ("after fees, bps", "ours", _OURS),
    ("after fees, bps", "hold, cash", _HOLD),
    ("momentum", "momentum", _MOMENTUM),
    ("after fees, bps", "random", _RANDOM),
    ("better than", "better than", _BETTER),
    ("Brier", "Brier", _BRIER),
    ("calibration error", "calibration", _CALIBRATION),
    ("saved       missed", "saved, missed", _SAVED),
)


def legend(body: Sequence[str]) -> Iterator[str]:
    """How to read what `body` shows; nothing for what is not in it."""
    text = "\n".join(body)
    known = [(name, words) for shown, name, words in _LEGEND if shown in text]
    if known:
        yield ""
        yield "== how to read it"
    for name, words in known:
        first, *rest = wrap(words, _WIDTH - 18)
        yield f"   {name:<15}{first}"
        yield from (" " * 18 + line for line in rest)


def confidence(found: Forecasts | None) -> Iterator[str]:
    """What the advisor said of itself against what came; one line where there is too little."""
    apart = 0.0 if found is None else found.independent
    if found is None or apart < FEWEST:
        yield f"   confidence {_needed(apart, 'outcomes')} at the own horizon"
        return
    title = "confidence that the action is right after fees, at the own horizon"
    yield from _forecasts(title, found, table=True)


def _forecasts(title: str, found: Forecasts, *, table: bool) -> Iterator[str]:
    skill = "none" if found.skill is None else f"{found.skill:+.3f}"
    low = "" if found.skill_low is None else f" (at least {found.skill_low:+.3f})"
    yield f"   {title}:"
    yield (
        f"      {_verdict(found.verdict)}: {found.count:,} outcomes, {found.independent:.0f} "
        f"independent, {100 * found.base_rate:.1f} % came true"
    )
    yield (
        f"      Brier {found.brier:.4f}, skill against climatology {skill}{low}, "
        f"log loss {found.log_loss:.4f}"
    )
    yield f"      calibration error {_errors(found)}"
    if not table or not found.table:
        return
    yield "      said           mean    count   came true   95 %"
    for line in found.table:
        yield (
            f"      {line.low:.3f}-{line.high:.3f}  {line.said:6.3f} {line.count:>8,}"
            f"   {line.seen:9.3f}   {line.seen_low:.3f}-{line.seen_high:.3f}"
        )


def _errors(found: Forecasts) -> str:
    if found.ece_before is None or found.ece_after is None:
        return (
            f"{TOO_FEW}: {found.fitted:,} of {MIN_PER_BIN} were said with {MIN_FIT} outcomes known"
        )
    return (
        f"{found.ece_before:.4f}, recalibrated on the past only {found.ece_after:.4f} "
        f"(on {found.fitted:,})"
    )


def probabilities(cards: Sequence[tuple[str, Forecasts | None]], *, table: bool) -> Iterator[str]:
    """Stated probabilities of several horizons; those with too few outcomes share one line."""
    few: list[str] = []
    for name, found in cards:
        apart = 0.0 if found is None else found.independent
        if found is None or apart < FEWEST:
            few.append(f"{name} {apart:.0f}")
        else:
            yield from _forecasts(name, found, table=table)
    if few:
        words = f"{TOO_FEW} ({FEWEST} independent outcomes are needed): {', '.join(few)}"
        yield from wrap(words, _WIDTH, initial_indent="   ", subsequent_indent="      ")


def directions(rows: Directed) -> Iterator[str]:
    """How often the direction was right, beside chance."""
    counts = [(name, 0.0 if found is None else found.independent) for name, found, _ in rows]
    if all(apart < FEWEST for _, apart in counts):
        yield f"   direction  {_most(counts, 'calls')}"
        return
    sized = any(size is not None for _, _, size in rows)
    yield (
        f"   {'direction, %':<{_NAME}}{'calls':>7}{'indep.':>7}{'right':>7}  {'95 %':<11}"
        f"{'chance':>7}" + (f"{'ROI error':>10}{'/zero':>6}" if sized else "")
    )
    for name, found, size in rows:
        if found is None or found.independent < FEWEST:
            count, apart = (0, 0.0) if found is None else (found.count, found.independent)
            yield f"   {name:<{_NAME}}{count:>7,}{apart:>7.0f}  {TOO_FEW}"
            continue
        interval = f"{100 * found.low:.1f}-{100 * found.high:.1f}"
        yield (
            f"   {name:<{_NAME}}{found.count:>7,}{found.independent:>7.0f}{100 * found.share:>7.1f}"
            f"  {interval:<11}{100 * found.chance:>7.1f}"
            f"{_magnitude(size) if sized else ''}  {_verdict(found.verdict)}"
        )


def _magnitude(size: Magnitude | None) -> str:
    if size is None:
        return f"{'-':>10}{'-':>6}"
    ratio = "-" if size.ratio is None else f"{size.ratio:.2f}"
    return f"{f'{size.error_pct:.3f} %':>10}{ratio:>6}"


def profits(rows: Sequence[tuple[str, Profit | None]]) -> Iterator[str]:
    """What a decision made after fees, beside what knows nothing."""
    counts = [(name, 0 if found is None else _fewest(found)) for name, found in rows]
    if all(apart < FEWEST for _, apart in counts):
        yield f"   after fees {_most(counts, 'outcomes')}"
        return
    with_past = any(found is not None and found.momentum_bps is not None for _, found in rows)
    yield (
        f"   {'after fees, bps':<{_NAME}}{'ours':>8}  {'95 %':<18}{'hold':>8}{'cash':>6}"
        + (f"{'momentum':>10}" if with_past else "")
        + f"{'random':>8}  better than"
    )
    for (name, found), (_, apart) in zip(rows, counts, strict=True):
        if found is None or apart < FEWEST:
            yield f"   {name:<{_NAME}}  {TOO_FEW} ({apart} of {FEWEST} independent)"
            continue
        momentum = "-" if found.momentum_bps is None else f"{found.momentum_bps:.1f}"
        interval = f"{found.low_bps:.1f} to {found.high_bps:.1f}"
        yield (
            f"   {name:<{_NAME}}{found.mean_bps:>8.1f}  {interval:<18}{found.hold_bps:>8.1f}"
            f"{found.cash_bps:>6.0f}"
            + (f"{momentum:>10}" if with_past else "")
            + f"{found.random_median_bps:>8.1f}  {found.percentile:.1f} % of random"
        )


def _fewest(found: Profit) -> int:
    """Independent outcomes of trades; of a source that never trades, of its decisions."""
    return found.independent_trades if found.trades else found.independent


def _needed(apart: float, what: str) -> str:
    """How many independent outcomes there are, and how many a figure takes."""
    return f"{TOO_FEW}, {apart:.0f} of {FEWEST} independent {what}"


def _most(counts: Iterable[tuple[str, float]], what: str) -> str:
    """The same of the row that has the most."""
    name, apart = max(counts, key=lambda row: row[1])
    return f"{_needed(apart, what)} at most ({name})" if apart else _needed(0, what)


def _verdict(verdict: str) -> str:
    """A verdict beside figures: where it says too few, the figures are there all the same."""
    return "no verdict yet" if verdict == TOO_FEW else verdict
