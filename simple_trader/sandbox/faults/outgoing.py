"""What faults do to frames on their way out: each takes a batch and gives what is to be sent."""

from collections.abc import Callable
from typing import Protocol

from simple_trader.sandbox.faults import books, frames
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.frames import Out
from simple_trader.sandbox.faults.line import LineState
from simple_trader.sandbox.faults.trigger import Armed, Now

Batch = list[Out]


class Job(Protocol):
    """A fault at work on one connection."""

    armed: Armed
    line: LineState
    desk: Desk
    now: Now
    old: dict[tuple[str, str], list[str]]

    def due(self, out: Out) -> bool:
        """Say whether the fault acts on this frame, and count it."""


Effect = Callable[[Job, Batch], Batch]


def _each(change: Callable[[Job, Out], Batch], *, answers: bool = False) -> Effect:
    """Make an effect of what happens to one message (or answer) that is due."""

    def effect(job: Job, batch: Batch) -> Batch:
        result: Batch = []
        for out in batch:
            wanted = bool(answers or out.seen.type)
            result.extend(change(job, out) if wanted and job.due(out) else [out])
        return result

    return effect


def _shift_rest(job: Job, behind: Batch, channel: str, by: int) -> None:
    """Renumber a private channel from here on, on this connection."""
    job.line.shift[channel] = job.line.shift.get(channel, 0) + by
    for out in behind:
        if out.seen.channel == channel:
            out.shift += by


# --- connection ---------------------------------------------------------------------------------


def torn(job: Job, batch: Batch) -> Batch:
    """N01: a frame is cut (torn, fragment), or the connection ends before it (close, reset)."""
    how = job.armed.spec.text("how")
    for number, out in enumerate(batch):
        if not job.due(out):
            continue
        payload = out.text.encode()
        part = max(1, int(len(payload) * job.armed.spec.number("share")))
        if how == "torn":
            out.raw = frames.ws_frame(payload)[: part + 2]
        elif how == "fragment":
            out.raw = frames.ws_frame(payload[:part], final=False)
        else:
            out.raw = b""
        out.cut = "close" if how == "close" else "reset"
        return batch[: number + 1]
    return batch


def half_open(job: Job, batch: Batch) -> Batch:
    """N02: from the frame on that is due, nothing leaves (without a filter it acts by itself)."""
    if not job.armed.watches:
        return batch
    for number, out in enumerate(batch):
        if job.due(out):
            job.line.frozen = True
            return batch[:number]
    return batch


def silent(job: Job, batch: Batch) -> Batch:
    """N03: nothing but pongs."""
    return [out for out in batch if out.seen.method == "pong" or not job.due(out)]


def latency(job: Job, batch: Batch) -> Batch:
    """N11: each frame is late; a lost segment costs a retransmission and holds what follows."""
    for out in batch:
        if job.due(out):
            out.delay_s += drawn_delay(job.armed)
    return batch


def drawn_delay(armed: Armed) -> float:
    """Draw delay, jitter and loss (seconds)."""
    spec = armed.spec
    delay = spec.number("delay_s") + spec.number("jitter_s") * (2 * armed.draw() - 1)
    while armed.draw() < min(spec.number("loss"), 0.9):
        delay += spec.number("stall_s")
    return max(0.0, delay)


def backlog(job: Job, batch: Batch) -> Batch:
    """S02: all frames of some seconds arrive together, in order."""
    memory, spec = job.armed.memory, job.armed.spec
    for out in batch:
        if not job.due(out):
            continue
        until = memory.setdefault("until", job.now.market_us + int(spec.number("hold_s") * 1e6))
        if job.now.market_us >= until:
            job.armed.stopped = True
            return batch
        out.delay_s += (until - job.now.market_us) / 1e6
    return batch


# --- private channels ---------------------------------------------------------------------------


def dropped(job: Job, batch: Batch) -> Batch:
    """N04, N05, S05: frames are lost; `sequence=closed` hides the gap."""
    closed = job.armed.spec.params.get("sequence") == "closed"
    result: Batch = []
    for number, out in enumerate(batch):
        wanted = out.seen.type != "" and out.seen.method == ""
        if job.armed.kind.id == "S05":
            wanted = out.seen.type == "snapshot"
        if not wanted or not job.due(out):
            result.append(out)
        elif closed and out.sequence is not None:
            _shift_rest(job, batch[number + 1 :], out.seen.channel, -1)
    return result


def repeated(job: Job, batch: Batch) -> Batch:
    """X05: an event comes several times, under one sequence or under new ones."""
    result: Batch = []
    spec = job.armed.spec
    for number, out in enumerate(batch):
        result.append(out)
        if out.seen.type != "update" or not job.due(out):
            continue
        for count in range(1, int(spec.number("times"))):
            twin = out.copy()
            if spec.text("sequence") == "next":
                twin.shift = out.shift + count
                _shift_rest(job, batch[number + 1 :], out.seen.channel, 1)
            result.append(twin)
    return result


def reordered(job: Job, batch: Batch) -> Batch:
    """X06: the events of a burst in reverse, or one event behind the next."""
    if job.armed.spec.text("how") == "held":
        return _held(job, batch)
    events = [out for out in batch if _is_event(job, out)]
    if len(events) < 2 or not job.due(events[-1]):
        return batch
    turned = list(reversed(events))
    _renumber(job, turned, events)
    rest = iter(turned)
    return [next(rest) if out in events else out for out in batch]


def _is_event(job: Job, out: Out) -> bool:
    wanted = job.armed.spec.channel
    return out.seen.type == "update" and out.seen.channel == wanted


def _renumber(job: Job, order: Batch, before: Batch) -> None:
    if job.armed.spec.text("sequence") != "renumbered":
        return
    numbers = [(out.sequence or 0) + out.shift for out in before]
    for out, number in zip(order, numbers, strict=True):
        out.shift = number - (out.sequence or 0)


def _held(job: Job, batch: Batch) -> Batch:
    result: Batch = []
    for out in batch:
        held = job.line.held
        if held is None:
            if out.seen.type == "update" and job.due(out):
                job.line.held = out
                continue
        elif _is_event(job, out):
            _renumber(job, [out, held], [held, out])
            result += [out, held]
            job.line.held = None
            continue
        result.append(out)
    return result


def jumped(job: Job, batch: Batch) -> Batch:
    """X07: the sequence skips, restarts at 1, or goes back."""
    how, by = job.armed.spec.text("how"), int(job.armed.spec.number("by"))
    for number, out in enumerate(batch):
        if out.sequence is None or out.seen.type != "update" or not job.due(out):
            continue
        here = out.sequence + out.shift
        jump = {"gap": by, "restart": 1 - here, "backwards": -by}.get(how, by)
        _shift_rest(job, batch[number:], out.seen.channel, jump)
    return batch


def fee_missing(job: Job, batch: Batch) -> Batch:
    """X26: a fill without its fee; corrected: told again at once with it."""
    if job.armed.spec.text("how") != "missing":
        return batch
    result: Batch = []
    for number, out in enumerate(batch):
        result.append(out)
        if out.seen.exec_type != "trade" or out.seen.type != "update" or not job.due(out):
            continue
        twin = out.copy()
        message = frames.read(out.text)
        for row in message["data"]:
            row["fees"], row["fee_usd_equiv"] = [], frames.number("0.00000")
        out.text = frames.write(message)
        if job.armed.spec.params["corrected"]:
            twin.shift = out.shift + 1
            _shift_rest(job, batch[number + 1 :], out.seen.channel, 1)
            result.append(twin)
    return result


# --- responses ----------------------------------------------------------------------------------


def ack_lost(job: Job, batch: Batch) -> Batch:
    """X01, X31, N15: a response that says yes is lost."""
    if job.armed.spec.params.get("how", "lost") != "lost":
        return batch
    return [out for out in batch if out.success is not True or not job.due(out)]


def ack_late(job: Job, batch: Batch) -> Batch:
    """X04: the response comes after the events."""
    for out in batch:
        if out.success is True and job.due(out):
            out.delay_s, out.loose = job.armed.spec.number("delay_s"), True
    return batch


def ack_denied(job: Job, batch: Batch) -> Batch:
    """S06: the order lives, the response says that the service is unavailable."""

    def denied(job: Job, out: Out) -> Batch:
        message = frames.read(out.text)
        message.pop("result", None)
        message.update(error=job.armed.spec.text("text"), success=False)
        out.text = frames.write(dict(sorted(message.items())))
        return [out]

    return [
        other
        for out in batch
        for other in (denied(job, out) if out.success is True and job.due(out) else [out])
    ]


def fast_fill(job: Job, batch: Batch) -> Batch:
    """X10: nothing is told of an order that filled at once, until somebody asks for a snapshot."""
    result: Batch = []
    for out in batch:
        if out.seen.type == "snapshot":  # without it no session would ever be up again
            result.append(out)
            continue
        hidden = job.armed.memory.get(out.order_id) if out.order_id else None
        if hidden is None and out.order_id and job.desk.filled_at_once(out.order_id):
            hidden = int(job.due(out))
            job.armed.memory[out.order_id] = hidden
        if not hidden:
            result.append(out)
    return result


def post_only_canceled(job: Job, batch: Batch) -> Batch:
    """X24 (cancel): the reason of the cancel is Kraken's for post-only orders."""
    if job.armed.spec.text("how") != "cancel":
        return batch
    for out in batch:
        if out.seen.exec_type == "canceled" and out.order_id in job.armed.memory:
            out.text = out.text.replace('"User requested"', '"Post only order"')
    return batch


# --- public channels ----------------------------------------------------------------------------


def bad_checksum(job: Job, out: Out) -> Batch:
    """X13: the checksum, or one quantity under a right checksum, is wrong."""
    quantity = job.armed.spec.text("how") == "quantity"
    out.text = (frames.wrong_quantity if quantity else frames.wrong_checksum)(out.text)
    return [out]


def bad_book(job: Job, batch: Batch) -> Batch:
    """X14: books and quotes that cannot be; a book's checksum is right."""
    how = job.armed.spec.text("how")
    last = {out.seen.pair: out for out in batch if out.seen.channel == "book" and out.seen.type}
    for out in batch:
        if out.seen.channel == "ticker" and out.seen.type and job.due(out):
            out.text = books.bad_ticker(out.text, how)
        elif last.get(out.seen.pair) is out and job.due(out):
            levels = job.desk.levels(out.seen.connection, out.seen.pair)
            if levels is not None:
                out.text = books.bad_book(out.text, how, *levels)
    return batch


def old_frames(job: Job, batch: Batch) -> Batch:
    """N16, S07: after a (re)subscription old messages of the channel come once more."""
    result: Batch = []
    after = "snapshot" if job.armed.kind.id == "S07" else "ack"
    for out in batch:
        result.append(out)
        key = (out.seen.channel, out.seen.pair)
        ack = out.seen.method == "subscribe" and out.success is True
        if out.seen.type == "update" and job.armed.fits(out.seen):
            kept = job.old.setdefault(key, [])
            kept.append(out.text)
            del kept[: -int(job.armed.spec.number("frames"))]
        elif (
            key in job.old
            and (ack if after == "ack" else out.seen.type == "snapshot")
            and job.due(out)
        ):
            texts = job.old.pop(key)
            result.extend(Out(text, out.seen.on, out.seen.connection) for text in texts)
    return result


def exponents(_: Job, out: Out) -> Batch:
    """S03: `1e-08` instead of `0.00000001`."""
    out.text = frames.with_exponents(out.text)
    return [out]


def big_instrument(job: Job, out: Out) -> Batch:
    """S04: an instrument snapshot above the usual frame limit."""
    if out.seen.type == "snapshot":
        out.text = frames.with_assets(out.text, int(job.armed.spec.number("size")))
    return [out]


def skewed(job: Job, out: Out) -> Batch:
    """X34: all stamps are those of the engine's clock."""
    out.text = frames.with_skew(out.text, job.armed.spec.number("skew_s"))
    return [out]


EFFECTS: dict[str, Effect] = {
    "N01": torn,
    "N02": half_open,
    "N03": silent,
    "N04": dropped,
    "N05": dropped,
    "N11": latency,
    "N15": ack_lost,
    "N16": old_frames,
    "X01": ack_lost,
    "X04": ack_late,
    "X05": repeated,
    "X06": reordered,
    "X07": jumped,
    "X10": fast_fill,
    "X13": _each(bad_checksum),
    "X14": bad_book,
    "X24": post_only_canceled,
    "X26": fee_missing,
    "X31": ack_lost,
    "X34": _each(skewed, answers=True),
    "S02": backlog,
    "S03": _each(exponents),
    "S04": _each(big_instrument),
    "S05": dropped,
    "S06": ack_denied,
    "S07": old_frames,
}
