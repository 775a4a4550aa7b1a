"""One decision on one screen: verdict, snapshot, prompt, reply, order, fills, outcome, PnL."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import typer

from simple_trader.telemetry.masking import block, one_line

if TYPE_CHECKING:
    from simple_trader.adapters.store.decision_facts import Story

Row = Mapping[str, Any]
WIDTH = 100
_LABEL = 12
_EXCERPT = 4  # lines about the pair of a prompt that is not asked for in full
_GROUPS = {"Price and day": "day", "Order book": "book"}
_VERDICT_COLOURS = {"approved": "green", "refused": "yellow", "hold": "cyan"}


def screen(story: "Story", *, full: bool) -> Iterator[str]:
    """The lines; `full` shows the whole prompt and the reply as it came."""
    row = story.row
    yield from _heading(row)
    yield from _verdict(row)
    yield from _shown(row)
    yield from _asked(story, full=full)
    yield from _order(story)
    yield from _outcome(story)
    yield from _beside(story)


# -- pieces of a line --------------------------------------------------------------------


def _say(label: str, text: str, *, colour: str | None = None) -> Iterator[str]:
    """A label and a text that goes on below itself; control characters stand as escapes."""
    name = typer.style(label.ljust(_LABEL), bold=True)
    wrapped = textwrap.wrap(one_line(text), WIDTH - _LABEL, break_on_hyphens=False) or [""]
    for number, line in enumerate(wrapped):
        shown = typer.style(line, fg=colour) if colour else line
        yield (name if number == 0 else " " * _LABEL) + shown


def _title(text: str) -> str:
    return typer.style(f"-- {text} ".ljust(WIDTH, "-"), dim=True)


def _moment(value: datetime | None) -> str:
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M:%SZ}"


def _plain(value: Decimal | None, decimals: int | None = None) -> str:
    """Exact, thousands apart; rounded for people where `decimals` says so."""
    if value is None:
        return "-"
    if decimals is not None:
        return f"{value:,.{decimals}f}"
    whole, dot, rest = f"{value:f}".partition(".")
    rest = rest.rstrip("0")
    return f"{int(whole):,}" + (dot + rest if rest else "")


def _percent(value: float | Decimal | None, *, sign: bool = True) -> str:
    return "-" if value is None else f"{value:{'+' if sign else ''}.2f} %"


def _money(value: Decimal, quote: str) -> str:
    return f"{value:+,.2f} {quote}"


def _gain(value: Decimal) -> str:
    return "green" if value >= 0 else "red"


def _quote(row: Row) -> str:
    return str(row["pair"]).partition("/")[2]


def _base(row: Row) -> str:
    return str(row["pair"]).partition("/")[0]


def _span(seconds: int) -> str:
    for unit_s, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds % unit_s == 0:
            return f"{seconds // unit_s} {unit}"
    return f"{seconds} s"


# -- parts -------------------------------------------------------------------------------


def _heading(row: Row) -> Iterator[str]:
    head = (
        f"Decision {row['decision_id']}   {row['pair']}   {_moment(row['decided_at'])}   "
        f"cycle {row['cycle_id']}"
    )
    yield typer.style(head, bold=True)


def _verdict(row: Row) -> Iterator[str]:
    word = f"{str(row['verdict']).upper()}  {row['reason']}"
    detail = f": {row['detail']}" if row["detail"] else ""
    yield from _say("verdict", word + detail, colour=_VERDICT_COLOURS.get(row["verdict"]))
    yield from _say("advice", _advice(row))
    if row["rationale"]:
        yield from _say("because", row["rationale"])
    gates = _gates(row)
    if gates:
        yield from _say("gate", gates)


def _advice(row: Row) -> str:
    if row["confidence"] is None:
        return f"{row['action']} (nobody's advice: a rule, or none that could be used)"
    parts = [
        f"{row['action']}, confidence {row['confidence'] * 100:.0f} %, risk {row['risk_level']}"
    ]
    if row["expected_move_pct"] is not None:
        parts.append(f"expects {_percent(row['expected_move_pct'])}")
    if row["horizon_minutes"] is not None:
        parts.append(f"within {_span(round(row['horizon_minutes'] * 60))}")
    if row["price_target"] is not None:
        parts.append(f"target {_plain(row['price_target'])}")
    if row["stop_loss"] is not None:
        parts.append(f"stop {_plain(row['stop_loss'])}")
    if row["bias_allocation"] is not None:
        parts.append(f"allocation {row['bias_allocation']:+.2f}")
    if row["sentiment"] is not None:
        parts.append(f"sentiment {row['sentiment']:+.2f}")
    return ", ".join(parts)


def _gates(row: Row) -> str:
    parts = []
    if row["cost_pct"] is not None:
        move = row["expected_move_used_pct"]
        said = "no move told" if move is None else f"move {_percent(move)}"
        parts.append(f"{said} against a round trip of {_percent(row['cost_pct'], sign=False)}")
    if row["wanted_value"] is not None:
        parts.append(
            f"wanted {row['wanted_side']} of {_plain(row['wanted_value'], 2)} {_quote(row)}"
        )
    if row["size_confidence"] is not None:
        parts.append(f"sized by confidence {row['size_confidence'] * 100:.0f} %")
    if row["sized_qty"] is not None:
        parts.append(f"came to {_plain(row['sized_qty'])} {_base(row)}")
    return ", ".join(parts)


def _shown(row: Row) -> Iterator[str]:
    """The snapshot: what the advisor saw."""
    from simple_trader.adapters.llm.figures import decimals_of, figure, grouped

    yield _title("what was shown")
    if row["snapshot_id"] is None:
        yield from _say("snapshot", "none: nothing was shown")
        return
    behind = (row["as_of"] - row["newest_event_at"]).total_seconds()
    yield from _say(
        "snapshot",
        f"{row['snapshot_id']} as of {_moment(row['as_of'])}, newest event {behind:.1f} s before",
    )
    yield from _say(
        "price",
        f"{_plain(row['mid'])} (bid {_plain(row['bid'])}, ask {_plain(row['ask'])}, spread "
        f"{row['spread_bps']:.1f} bps){'' if row['tradable'] else ', NOT TRADABLE'}",
    )
    yield from _say(
        "account",
        f"cash {_fraction(row, 'cash')} of equity, holding {_fraction(row, row['pair'])}, "
        f"unrealised {_percent(row['unrealised_pct'])}",
    )
    yield from _say("model", _chances(row))
    features, decimals = _document(row["features"]), decimals_of(row["bid"], row["ask"])
    for group, names in grouped(features):
        known = [
            f"{name} {figure(name, features[name], pair=row['pair'], decimals=decimals)}"
            for name in names
            if features[name] is not None
        ]
        missing = len(names) - len(known)
        text = "; ".join(known) + (f"; {missing} not known yet" if missing else "")
        yield from _say(_GROUPS.get(group, group.lower()), text.removeprefix("; "))
    for item in _document(row["texts"]):
        yield from _say("text", f"[{item['source']}] {item['text']}")


def _fraction(row: Row, name: str) -> str:
    part = _document(row["balances"]).get(name)
    return "-" if part is None else f"{Decimal(part) * 100:.1f} %"


def _chances(row: Row) -> str:
    import msgspec

    from simple_trader.adapters.llm.figures import chance
    from simple_trader.domain.predictions import HorizonView

    views = msgspec.convert(_document(row["probabilities"]), tuple[HorizonView, ...])
    return "; ".join(chance(view) for view in views) or "no probability"


def _document(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


def _asked(story: "Story", *, full: bool) -> Iterator[str]:
    """The question and the answer."""
    row = story.row
    if row["call_id"] is None:
        yield _title("what was asked")
        yield from _say("question", "nobody was asked")
        return
    yield _title("what was asked")
    who = row["advisor_label"] or row["model"]
    text = f"{row['call_id']} to {row['provider']} ({who}), {row['latency_ms']:,} ms, "
    text += f"{row['tokens_in']:,} + {row['tokens_out']:,} tokens, {_cost(row)}"
    if row["reused_from"]:
        text += f"; answered at {_moment(row['asked_at'])}, USED AGAIN"
    yield from _say("question", text)
    for call in story.calls[:-1]:
        yield from _say(f"try {call['attempt']}", _attempt(call))
    prompt = str(row["prompt"])
    yield from _say(
        "prompt",
        f"{len(prompt):,} characters, sha256 {row['prompt_hash'][:12]}, version "
        f"{row['template_hash'][:12]}" + ("" if full else " (--full shows all of it)"),
    )
    yield from _text(prompt) if full else _excerpt(prompt, row["pair"])
    if row["call_error"]:
        yield from _say("failed", row["call_error"], colour="red")
    if row["reply"]:
        yield from _say("reply", f"{row['reply_kind']}, ended by {row['finish_reason'] or '-'}")
        yield from _text(row["reply"] if full else _reply(row))


def _cost(row: Row) -> str:
    if row["cost_usd"] is None:
        return "price not known"
    return f"{row['cost_usd']:.4f} USD ({row['cost_share_usd']:.4f} of it this decision's)"


def _attempt(call: Row) -> str:
    status = f", HTTP {call['status']}" if call["status"] is not None else ""
    why = call["reason"] or "failed"
    return f"{call['provider']} ({call['model']}){status}: {why}, {call['error']}"


def _text(text: str) -> Iterator[str]:
    """A text of others, indented; control characters stand as escapes."""
    for line in block(text).splitlines():
        yield typer.style(f"  | {line}", dim=True)


def _excerpt(prompt: str, pair: str) -> Iterator[str]:
    """How the prompt begins and what it says of the pair first, cut at the edge of the screen."""
    lines = [line for line in block(prompt).splitlines() if line.strip()]
    about = next((n for n, line in enumerate(lines) if line.strip("# ") == pair), len(lines))
    for line in (*lines[:1], *lines[about : about + _EXCERPT]):
        cut = line if len(line) <= WIDTH - 4 else line[: WIDTH - 5] + "~"
        yield typer.style(f"  | {cut}", dim=True)
    yield typer.style(f"  | ... {len(prompt.splitlines())} lines in all", dim=True)


def _reply(row: Row) -> str:
    """This pair's part of an answer that is plain JSON; else the answer as it came."""
    try:
        answer = json.loads(row["reply"])
        mine = [item for item in answer["decisions"] if item["pair"] == row["pair"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return str(row["reply"])
    return json.dumps(mine[0], ensure_ascii=False, indent=1) if mine else str(row["reply"])


def _order(story: "Story") -> Iterator[str]:
    row = story.row
    yield _title("what was done")
    if row["cl_ord_id"] is None:
        yield from _say("order", "none")
        return
    limit = f" at {_plain(row['limit_price'])}" if row["limit_price"] is not None else ""
    why = f" ({row['order_reason']})" if row["order_reason"] else ""
    yield from _say(
        "order",
        f"{row['cl_ord_id']} ({row['order_id'] or 'no id of the exchange yet'}): {row['side']} "
        f"{_plain(row['qty'])} {_base(row)}{limit}, {row['order_type']}: {row['order_state']}{why}",
    )
    for fill in story.fills:
        pnl = f", realised {_money(fill['realised_pnl'], _quote(row))}"
        yield from _say(
            "fill",
            f"{_moment(fill['venue_at'])} {fill['exec_id']}: {_plain(fill['qty'])} at "
            f"{_plain(fill['price'])} = {_plain(fill['cost'], 2)} {_quote(row)}, fee "
            f"{_plain(fill['fee'], 4)}, {fill['liquidity']}"
            + (pnl if fill["side"] == "sell" else ""),
        )
    if row["fills"]:
        yield from _pnl(row)


def _pnl(row: Row) -> Iterator[str]:
    """What the fills earned: a sale by itself, a purchase by what was sold of it and is left."""
    quote = _quote(row)
    if row["side"] == "sell":
        realised = row["realised_pnl"]
        yield from _say("PnL", f"{_money(realised, quote)} after fees", colour=_gain(realised))
        return
    paid = row["filled_cost"] + row["fees"]
    parts, total = [f"paid {_plain(paid, 2)} {quote} with fees"], row["later_pnl"] or Decimal(0)
    if row["later_pnl"]:
        parts.append(f"sales of it realised {_money(row['later_pnl'], quote)}")
    if row["left_qty"]:
        parts.append(f"{_plain(row['left_qty'])} {_base(row)} held")
        if row["last_price"] is not None and row["filled_qty"]:
            left_cost = paid * row["left_qty"] / row["filled_qty"]
            open_pnl = row["left_qty"] * Decimal(repr(row["last_price"])) - left_cost
            total += open_pnl
            parts.append(
                f"{_money(open_pnl, quote)} at {row['last_price']:,g} before the fee of a sale"
            )
    yield from _say("PnL", f"{_money(total, quote)}: {'; '.join(parts)}", colour=_gain(total))


def _outcome(story: "Story") -> Iterator[str]:
    """What the market did after it, and what the gates saved or cost."""
    row = story.row
    if not story.marks:
        return
    yield _title("what came of it")
    for mark in story.marks:
        label = "horizon" if mark["is_own"] else "mark"
        outcome = mark_words(mark, is_hold=row["action"] == "hold")
        yield from _say(label, f"{_span(mark['horizon_s']):>8}: {outcome}")
    if row["gate_effect"] is not None:
        effect = row["gate_effect"]
        text = (
            f"{row['instead_kind']}: the wish would have made "
            f"{_money(row['instead_pnl'], _quote(row))}, so the gates "
            f"{'saved' if effect >= 0 else 'cost'} {_plain(abs(effect), 2)} {_quote(row)}"
        )
        yield from _say("instead", text, colour=_gain(effect))


def mark_words(mark: Row, *, is_hold: bool) -> str:
    """What became of a decision at one horizon; a hold stakes nothing and has no return."""
    if mark["void_reason"]:
        return f"no outcome ({mark['void_reason']})"
    if mark["roi_pct"] is None:
        return f"known from {_moment(mark['due_at'])}"
    word = "right" if mark["is_right"] else "wrong"
    moved = f"{_plain(mark['mid'])} -> {_plain(mark['outcome_mid'])}, {_percent(mark['roi_pct'])}"
    if is_hold:
        than = "less" if mark["is_right"] else "more"
        return f"mid {moved}; {than} than a round trip costs, so to hold was {word}"
    return f"mid {moved}; the action {_percent(mark['net_roi_pct'])} after a round trip: {word}"


def _beside(story: "Story") -> Iterator[str]:
    """What the shadows said; they never trade."""
    if not story.shadows:
        return
    yield _title("what shadows said of the same snapshot (never traded)")
    for item in story.shadows:
        sure = "" if item["confidence"] is None else f" {item['confidence'] * 100:.0f} %"
        risk = f" {item['risk_level']}" if item["risk_level"] else ""
        yield from _say(
            "shadow",
            f"{item['advisor']} ({item['model'] or 'no answer'}): {item['action']}{sure}{risk}, "
            f"{item['verdict']} {item['reason']}"
            + (f": {item['detail']}" if item["detail"] else ""),
        )
