"""The scorecard as text of at most 100 columns."""

from collections.abc import Iterator, Sequence
from typing import Any

from simple_trader.core.scoring.baselines import Profit
from simple_trader.core.scoring.judging import TOO_FEW, Direction, Forecasts
from simple_trader.core.scoring.scorecard import ALL, Card, Magnitude, ModelCard
from simple_trader.telemetry.masking import one_line

_NAME = 18
FEWEST = 30  # independent outcomes below which no share, error or profit is shown


def lines(report: dict[str, Any], *, full: bool) -> Iterator[str]:
    """The whole card; `full` shows each pair at each horizon, and all calibration tables."""
    if report["to"] is None and not report["model"]:
        yield "No decision is marked yet: marks come when the horizon of a decision is over."
        return
    yield _period(report)
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


def _period(report: dict[str, Any]) -> str:
    if report["to"] is None:
        return "Scorecard: no decision is marked yet"
    return (
        f"Scorecard of {report['from']:%Y-%m-%d %H:%M} to {report['to']:%Y-%m-%d %H:%M} "
        f"(market time); {report['waiting']:,} marks wait for their horizon"
    )


def _point_in_time(faults: Sequence[dict[str, Any]]) -> Iterator[str]:
    if not faults:
        yield "Point in time: no row knows anything of later."
        return
    yield "POINT IN TIME: rows below know something of later; the figures do not count."
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
    for row in item["realised"]:
        yield (
            f"   realised   {row['realised_pnl']:+,.2f} {row['quote']} after fees by sales; fills: "
            f"{row['purchases']:,} bought, {row['sales']:,} sold; fees {row['fees']:,.2f}"
        )
    shown = [card for card in item["cards"] if full or card.pair == ALL or card.horizon_s is None]
    own = next((card for card in shown if card.pair == ALL and card.horizon_s is None), None)
    if own is not None:
        title = "confidence that the action is right after fees, at the decisions' own horizon"
        yield from _forecasts(title, own.confidence, table=True)
    yield from _directions([(_name(c), c.direction, c.magnitude) for c in shown])
    yield from _profits([(_name(c), c.profit) for c in shown])


def _calls(
    calls: dict[str, Any], decisions: int, prices: tuple[float, float] | None
) -> Iterator[str]:
    answered = _percent(calls["answered"], calls["calls"])
    usable = _percent(calls["usable"], calls["calls"])
    yield (
        f"   asked      {calls['calls']:,} times, {answered} answered, {usable} usable; latency "
        f"{calls['latency_ms']:,} ms, 95 % within {calls['latency_95_ms']:,} ms"
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
            f"   listed     {listed:,.4f} USD{each} at {prices[0]:g} and {prices[1]:g} USD for a "
            "million tokens"
        )


def _cost(calls: dict[str, Any], decisions: int, tokens: str) -> str:
    each = f", {calls['cost_usd'] / decisions:.5f} per decision" if decisions else ""
    missing = f"; {calls['unpriced']:,} calls without a price" if calls["unpriced"] else ""
    return f"   cost       {calls['cost_usd']:,.4f} USD{each}; {tokens}{missing}"


def _percent(part: int, whole: int) -> str:
    return "none" if not whole else f"{100 * part / whole:.1f} %"


def _name(card: Card | ModelCard) -> str:
    horizon = "own" if card.horizon_s is None else _span(card.horizon_s)
    return f"{card.pair or 'all'} {horizon}"[: _NAME - 1]


def _span(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size and seconds % size == 0:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _forecasts(title: str, found: Forecasts | None, *, table: bool) -> Iterator[str]:
    yield f"   {title}:"
    if found is None or found.independent < FEWEST:
        count = 0 if found is None else found.count
        apart = 0 if found is None else found.independent
        yield f"      {TOO_FEW} ({count:,} outcomes, {apart:.0f} of them independent)"
        return
    skill = "none" if found.skill is None else f"{found.skill:+.3f}"
    low = "" if found.skill_low is None else f" (at least {found.skill_low:+.3f})"
    yield (
        f"      {found.verdict}: {found.count:,} outcomes, {found.independent:.0f} independent, "
        f"{100 * found.base_rate:.1f} % came true"
    )
    yield (
        f"      Brier {found.brier:.4f}, skill against climatology {skill}{low}, "
        f"log loss {found.log_loss:.4f}"
    )
    before, after = _error(found.ece_before), _error(found.ece_after)
    yield (
        f"      calibration error {before}, recalibrated on the past only {after} "
        f"(on {found.fitted:,})"
    )
    if not table or not found.table:
        return
    yield "      said           mean    count   came true   95 %"
    for line in found.table:
        yield (
            f"      {line.low:.3f}-{line.high:.3f}  {line.said:6.3f} {line.count:>8,}"
            f"   {line.seen:9.3f}   {line.seen_low:.3f}-{line.seen_high:.3f}"
        )


def _error(value: float | None) -> str:
    return TOO_FEW if value is None else f"{value:.4f}"


def _directions(
    rows: Sequence[tuple[str, Direction | None, Magnitude | None]],
) -> Iterator[str]:
    yield (
        f"   {'direction, %':<{_NAME}}{'calls':>7}{'indep.':>7}{'right':>7}  {'95 %':<11}"
        f"{'chance':>7}{'ROI error':>10}{'/zero':>6}"
    )
    for name, found, size in rows:
        if found is None or found.independent < FEWEST:
            count, apart = (0, 0.0) if found is None else (found.count, found.independent)
            yield f"   {name:<{_NAME}}{count:>7,}{apart:>7.0f}  {TOO_FEW}"
            continue
        error, ratio = _magnitude(size)
        interval = f"{100 * found.low:.1f}-{100 * found.high:.1f}"
        yield (
            f"   {name:<{_NAME}}{found.count:>7,}{found.independent:>7.0f}{100 * found.share:>7.1f}"
            f"  {interval:<11}{100 * found.chance:>7.1f}{error:>10}{ratio:>6}  {found.verdict}"
        )


def _magnitude(size: Magnitude | None) -> tuple[str, str]:
    if size is None:
        return "-", "-"
    return f"{size.error_pct:.3f} %", "-" if size.ratio is None else f"{size.ratio:.2f}"


def _profits(rows: Sequence[tuple[str, Profit | None]]) -> Iterator[str]:
    yield (
        f"   {'after fees, bps':<{_NAME}}{'ours':>8}  {'95 %':<18}{'hold':>8}{'cash':>6}"
        f"{'momentum':>10}{'random':>8}  better than"
    )
    for name, found in rows:
        if found is None or _fewest(found) < FEWEST:
            yield f"   {name:<{_NAME}}  {TOO_FEW}"
            continue
        momentum = "-" if found.momentum_bps is None else f"{found.momentum_bps:.1f}"
        interval = f"{found.low_bps:.1f} to {found.high_bps:.1f}"
        yield (
            f"   {name:<{_NAME}}{found.mean_bps:>8.1f}  {interval:<18}{found.hold_bps:>8.1f}"
            f"{found.cash_bps:>6.0f}{momentum:>10}{found.random_median_bps:>8.1f}"
            f"  {found.percentile:.1f} % of random"
        )


def _fewest(found: Profit) -> int:
    """Independent outcomes of trades; of a source that never trades, of its decisions."""
    return found.independent_trades if found.trades else found.independent


def _model(found: Sequence[ModelCard], *, full: bool) -> Iterator[str]:
    yield "== online model (probability of a higher price; its likelier side as a stake)"
    if not found:
        yield f"   {TOO_FEW}: no prediction is scored yet"
        return
    shown = [card for card in found if full or card.pair == ALL]
    for card in shown:
        yield from _forecasts(_name(card), card.probability, table=full)
    yield from _directions([(_name(card), card.direction, None) for card in shown])
    yield from _profits([(_name(card), card.profit) for card in shown])


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
