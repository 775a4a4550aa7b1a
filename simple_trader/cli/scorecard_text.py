"""The scorecard as text of at most 100 columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from simple_trader.cli import scorecard_tables as tables
from simple_trader.core.scoring.judging import TOO_FEW
from simple_trader.core.scoring.scorecard import ALL, Card, ModelCard
from simple_trader.telemetry.masking import one_line

_NAME = 17


def lines(report: dict[str, Any], *, full: bool) -> Iterator[str]:
    """The whole card; `full` shows each pair at each horizon, and all calibration tables."""
    if report["to"] is None and not report["model"]:
        yield "No decision is marked yet: marks come when the horizon of a decision is over."
        return
    body = list(_body(report, full=full))
    yield from body
    yield from tables.legend(body)


def _body(report: dict[str, Any], *, full: bool) -> Iterator[str]:
    yield from _period(report)
    yield from _point_in_time(report["faults"])
    for item in report["suspects"]:
        yield one_line(
            f"TOO GOOD TO BE TRUE: {item.name} ranks the next move with {item.correlation:+.2f} "
            f"(at most {item.by_chance:.2f} at other moments)"
        )[:100]
    for item in report["sources"]:
        yield ""
        yield from _source(item, report["prices"], full=full)
    for calls in report["unanswered"]:
        yield ""
        yield _heading(calls["advisor"], calls["provider"], calls["model"], "")
        yield from _calls(calls, 0, report["prices"])
    yield ""
    yield from _model(report["model"], full=full)
    yield ""
    yield from _gate(report["gate"])


def _period(report: dict[str, Any]) -> Iterator[str]:
    if report["to"] is None:
        yield "Scorecard: no decision is marked yet"
        return
    days = report["days"]
    what = "all decisions" if days is None else f"the last {days:g} days"
    rest = "" if days is None else "; older decisions: --days all"
    yield (
        f"Scorecard of {what}: {report['from']:%Y-%m-%d %H:%M} to {report['to']:%Y-%m-%d %H:%M} "
        "market time"
    )
    yield f"{report['waiting']:,} marks wait for their horizon{rest}"


def _point_in_time(faults: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not faults:
        yield "No look-ahead: no recorded row knows anything of later."
        return
    yield "LOOK-AHEAD: the rows below know something of later; the figures do not count."
    for fault in faults:
        yield one_line(f"  {fault['kind']} {fault['id']}: {fault['fault']}")[:100]


def _heading(advisor: str, provider: str, model: str, template_hash: str) -> str:
    who = " / ".join(part for part in (provider, model) if part) or "nobody answered"
    role = f"shadow {advisor}" if advisor else "trades"
    prompt = f", prompt {template_hash[:12]}" if template_hash else ""
    return one_line(f"== {who}{prompt} ({role})")[:100]


def _source(
    item: dict[str, Any], prices: tuple[float, float] | None, *, full: bool
) -> Iterator[str]:
    source = item["source"]
    yield _heading(source.advisor, source.provider, source.model, source.template_hash)
    if item["calls"] is not None:
        yield from _calls(item["calls"], item["decisions"], prices)
    held = _percent(item["holds"], item["decisions"])
    void = f"; {item['voided']:,} marks void (no price in time)" if item["voided"] else ""
    unanswered = item["calls"] is not None and not item["calls"]["answered"]
    if not source.provider or unanswered:
        yield f"   decisions  {item['decisions']:,}, all held: no answer came{void}"
        return
    yield f"   decisions  {item['decisions']:,}, {held} said hold{void}"
    if item["repeats"]:
        again = f"{item['repeats']:,} of them used an earlier answer again"
        yield f"   repeats    {again}: left out of confidence and direction"
    for row in item["realised"]:
        held = f", {row['held']:,} of them still held" if row["held"] else ""
        yield (
            f"   realised   {row['realised_pnl']:+,.2f} {row['quote']} after fees on what its "
            f"{row['purchases']:,} purchases bought, whoever sold it{held}"
        )
    pairs = {card.pair for card in item["cards"]} - {ALL}
    shown = [card for card in item["cards"] if _is_shown(card, len(pairs), full=full)]
    own = next((card for card in shown if card.pair == ALL and card.horizon_s is None), None)
    if own is not None:
        yield from tables.confidence(own.confidence)
    yield from tables.directions([(_name(c), c.direction, c.magnitude) for c in shown])
    yield from tables.profits([(_name(c), c.profit) for c in shown])


def _is_shown(card: Card, pairs: int, *, full: bool) -> bool:
    """Whether it is a row; of one pair alone there is nothing to add to all."""
    return card.pair == ALL or (pairs > 1 and (full or card.horizon_s is None))


def _calls(
    calls: dict[str, Any], decisions: int, prices: tuple[float, float] | None
) -> Iterator[str]:
    answered = _percent(calls["answered"], calls["calls"])
    usable = _percent(calls["usable"], calls["calls"])
    yield (
        f"   asked      {calls['calls']:,} times, {answered} answered, {usable} usable; half "
        f"within {calls['latency_ms']:,} ms, 95 % within {calls['latency_95_ms']:,} ms"
    )
    tokens = f"{calls['tokens_in']:,} tokens in, {calls['tokens_out']:,} out"
    if calls["cost_usd"] is None:
        yield f"   cost       no price is known; {tokens}"
    else:
        yield _cost(calls, decisions, tokens)
    if prices is not None:
        listed = (calls["tokens_in"] * prices[0] + calls["tokens_out"] * prices[1]) / 1e6
        each = f", {listed / decisions:.5f} per decision" if decisions else ""
        yield (
            f"   would cost {listed:,.4f} USD{each} at {prices[0]:g} USD for a million tokens in, "
            f"{prices[1]:g} out"
        )


def _cost(calls: dict[str, Any], decisions: int, tokens: str) -> str:
    each = f", {calls['cost_usd'] / decisions:.5f} per decision" if decisions else ""
    missing = f"; {calls['unpriced']:,} calls without a price" if calls["unpriced"] else ""
    return f"   cost       {calls['cost_usd']:,.4f} USD{each}; {tokens}{missing}"


def _percent(part: int, whole: int) -> str:
    return "none" if not whole else f"{100 * part / whole:.1f} %"


def _name(card: Card | ModelCard) -> str:
    horizon = "own" if card.horizon_s is None else _span(card.horizon_s)
    return f"{card.pair or 'all'} {horizon}"[:_NAME]


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _model(found: Sequence[ModelCard], *, full: bool) -> Iterator[str]:
    yield "== online model (probability of a higher price; its likelier side as a stake)"
    if not found:
        yield f"   {TOO_FEW}: no prediction is scored yet"
        return
    pairs = {card.pair for card in found} - {ALL}
    shown = [card for card in found if card.pair == ALL or (full and len(pairs) > 1)]
    yield from tables.probabilities([(_name(c), c.probability) for c in shown], table=full)
    yield from tables.directions([(_name(card), card.direction, None) for card in shown])
    yield from tables.profits([(_name(card), card.profit) for card in shown])


def _gate(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "== what the gates saved and cost, after fees, at the decisions' own horizon"
    if not rows:
        yield f"   {TOO_FEW}: no vetoed, resized or held decision is marked yet"
        return
    yield "   kind     reason                   decisions        saved       missed       effect"
    totals: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        yield _money_line(row["kind"], row["reason"], row["quote"], _figures(row))
        total = totals.setdefault((row["kind"], row["quote"]), [0, 0, 0, 0])
        for index, value in enumerate(_figures(row)):
            total[index] += value
    for (kind, quote), total in totals.items():
        yield _money_line(kind, "all", quote, total)
    yield "   held: what buying the base order would have made, or lost, instead of nothing"


def _figures(row: dict[str, Any]) -> list[Any]:
    return [row["decisions"], row["saved"], row["missed"], row["effect"]]


def _money_line(kind: str, reason: str, quote: str, figures: Sequence[Any]) -> str:
    decisions, saved, missed, effect = figures
    return (
        f"   {kind:<8} {reason:<24}{decisions:>10,}{saved:>13,.2f}{missed:>13,.2f}"
        f"{effect:>+13,.2f} {quote}"
    )
