"""The running fault script: what is set, what it does to everything that passes, what fired."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Literal

import msgspec

from simple_trader.sandbox.faults import alone, incoming, outgoing, rest
from simple_trader.sandbox.faults.catalogue import KINDS, Point
from simple_trader.sandbox.faults.desk import Desk
from simple_trader.sandbox.faults.frames import Out
from simple_trader.sandbox.faults.line import In, LineAct, LineState
from simple_trader.sandbox.faults.spec import FaultError, Spec, named
from simple_trader.sandbox.faults.trigger import Armed, Fired, Log, Now, Seen

Listening = Literal["open", "closed", "tls", "garbage"]
Door = Literal["", "refuse", "close"]
MAX_ARMED = 1000
_FINISHING = ("X06", "X10", "X24")  # what these began goes on after their last time


class _Job:
    """One fault at one place: what the effects need of both."""

    def __init__(self, script: "Script", armed: Armed, line: LineState) -> None:
        self._script = script
        self.armed = armed
        self.line = line
        self.desk = script.desk
        self.now = script.now()
        self.old = script.old
        self.fresh_tokens = script.fresh_tokens

    def due(self, out: Out) -> bool:
        """Say whether the fault acts on this frame."""
        return self.seen(out.seen)

    def seen(self, seen: Seen) -> bool:
        """Say whether the fault acts on this."""
        if not self.armed.due(seen, self.now):
            return False
        what = " ".join(filter(None, (seen.method, seen.channel, seen.exec_type, seen.pair)))
        self._script.tell(self.armed, seen.on, seen.connection, what)
        return True


class Script:
    """All faults of a sandbox; without one it is never asked."""

    def __init__(
        self, seed: int, desk: Desk, now: Callable[[], Now], wall: Callable[[], datetime]
    ) -> None:
        self.desk = desk
        self.now = now
        self.log = Log()
        self.armed: list[Armed] = []
        self.lines: dict[int, LineState] = {}
        self.old: dict[tuple[str, str], list[str]] = {}
        self.fresh_tokens: set[str] = set()
        self.heard: Callable[[Fired], None] | None = None
        self._wall = wall
        self._seed = seed
        self._numbers = 0
        self._rest_line = LineState(connection=0, on="rest")

    @property
    def any(self) -> bool:
        """Whether a fault is set, or one has left its mark on a connection."""
        return bool(self.armed)

    # --- setting ----------------------------------------------------------------------------

    def start(self, spec: Spec) -> Armed:
        """Set a fault; it acts from now on, as its trigger says."""
        if len(self.armed) >= MAX_ARMED:
            raise FaultError(f"{MAX_ARMED} faults are set already: stop some first")
        self._numbers += 1
        armed = Armed(self._numbers, spec, self.now(), self._seed)
        self.armed.append(armed)
        if spec.kind == "X21":
            self.fresh_tokens.clear()
        return armed

    def stop(self, which: str) -> list[Armed]:
        """Stop faults by number, id, name, or `all`; raises FaultError for an unknown name."""
        if which == "all":
            chosen = list(self.armed)
        elif which.isdigit():
            chosen = [armed for armed in self.armed if armed.number == int(which)]
        else:
            kind = named(which)
            chosen = [armed for armed in self.armed if armed.kind.id == kind.id]
        for armed in chosen:
            armed.stopped = True
        return chosen

    def tell(self, armed: Armed, on: str, connection: int, what: str) -> None:
        """Keep that a fault acted."""
        moment = self._wall().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        fired = Fired(
            armed.number, armed.kind.id, armed.kind.name, self.desk.stamp(), moment,
            on, str(connection), what,
        )  # fmt: skip
        self.log.add(fired)
        if self.heard is not None:
            self.heard(fired)

    def standing(self) -> list[dict[str, Any]]:
        """List what was set, with counts and whether it may still act."""
        now = self.now()
        return [
            {
                "number": armed.number,
                "id": armed.kind.id,
                "name": armed.kind.name,
                "seen": armed.seen,
                "fired": armed.fired,
                "active": not armed.over(now),
                "params": dict(armed.spec.params),
            }
            for armed in self.armed
        ]

    def _at(self, point: Point) -> Iterable[Armed]:
        return [a for a in self.armed if point in a.kind.points and not a.over(self.now())]

    # --- connections ------------------------------------------------------------------------

    def opened(self, connection: int, on: str) -> LineState:
        """Note a new connection."""
        line = LineState(connection=connection, on=on)
        self.lines[connection] = line
        return line

    def closed(self, connection: int) -> None:
        """Forget a connection."""
        self.lines.pop(connection, None)

    def door(self, on: str) -> tuple[Door, int]:
        """Say what becomes of a new connection (public, private, rest), and the close code."""
        for armed in self._at("connect"):
            job = _Job(self, armed, self._rest_line)
            if job.seen(Seen(on)):
                if armed.kind.id == "N06":
                    return "close", int(armed.spec.number("code"))
                return "refuse", 0
        return "", 0

    def listening(self) -> Listening:
        """Say what the port should be now."""
        now = self.now()
        for armed in self._at("listener"):
            if not armed.on(now):
                continue
            if not armed.memory.get("told"):
                armed.memory["told"] = 1
                armed.fired += 1
                self.tell(armed, "any", 0, "")
            if armed.kind.id == "N07":
                return "closed"
            return "garbage" if armed.spec.text("how") == "garbage" else "tls"
        return "open"

    # --- frames -----------------------------------------------------------------------------

    def receive(self, line: LineState, text: str) -> In:
        """Give what becomes of a client's frame."""
        result = In(text)
        request = incoming.asked(text, line.on, line.connection)
        for armed in self._at("in"):
            effect = incoming.EFFECTS.get(armed.kind.id)
            if effect is None or result.text is None:
                continue
            current = request
            if result.text != request.text:
                current = incoming.asked(result.text, line.on, line.connection)
            try:
                result = effect(_Job(self, armed, line), current, result)
            except UnicodeEncodeError:
                continue  # lone surrogates cannot be written again: the frame stays as it is
        return result

    def received(self, line: LineState, orders_before: int) -> None:
        """Act on what a client's frame has done."""
        for armed in self.armed:
            if armed.kind.id == "X24" and armed.memory.get("next"):
                incoming.cancel_arrivals(_Job(self, armed, line), orders_before)

    def send(self, line: LineState, texts: list[str]) -> tuple[list[Out], list[LineAct]]:
        """Give what becomes of a batch of frames, and what a socket is to suffer for it."""
        batch = [Out(text, line.on, line.connection) for text in texts]
        for out in batch:
            out.shift = line.shift.get(out.seen.channel, 0) if out.sequence is not None else 0
        acts: list[LineAct] = []
        for armed in self._at("line"):
            if armed.watches:
                acts += self._by_frames(armed, line, batch)
        for armed in self._on_the_way_out():
            effect = outgoing.EFFECTS.get(armed.kind.id)
            if effect is not None and not line.frozen:
                batch = effect(_Job(self, armed, line), batch)
        for out in batch:
            out.renumbered()
        return batch, acts

    def _on_the_way_out(self) -> list[Armed]:
        now = self.now()
        return [
            armed
            for armed in self.armed
            if "out" in armed.kind.points and (armed.kind.id in _FINISHING or not armed.over(now))
        ]

    def _by_frames(self, armed: Armed, line: LineState, batch: list[Out]) -> list[LineAct]:
        job = _Job(self, armed, line)
        if armed.kind.id in outgoing.EFFECTS or armed.memory.get(str(line.connection)):
            return []
        for out in batch:
            if job.due(out):
                armed.memory[str(line.connection)] = 1
                return [alone.ON_LINES[armed.kind.id](job, line)]
        return []

    # --- REST -------------------------------------------------------------------------------

    def rest_before(self, request: rest.Asked) -> rest.RestAct:
        """Give what is done with a REST request."""
        act = rest.RestAct()
        for armed in self._at("rest"):
            effect = rest.BEFORE.get(armed.kind.id)
            if effect is not None and act.lands and not act.status:
                act = effect(_Job(self, armed, self._rest_line), request, act)
        return act

    def rest_after(self, request: rest.Asked, body: bytes) -> bytes:
        """Give what the exchange's answer becomes."""
        if request.endpoint == "GetWebSocketsToken":
            self._note_token(body)
        for armed in self._at("rest"):
            effect = rest.AFTER.get(armed.kind.id)
            if effect is not None:
                body = effect(_Job(self, armed, self._rest_line), request, body)
        return body

    def _note_token(self, body: bytes) -> None:
        try:
            answer = msgspec.json.decode(body)
        except msgspec.MsgspecError:
            return
        result = answer.get("result") if isinstance(answer, dict) else None
        if isinstance(result, dict) and isinstance(result.get("token"), str):
            self.fresh_tokens.add(result["token"])

    # --- by itself --------------------------------------------------------------------------

    def tick(self) -> list[LineAct]:
        """Do what is due by itself; gives what sockets are to suffer."""
        now = self.now()
        acts: list[LineAct] = []
        for armed in list(self.armed):
            if "time" in armed.kind.points:
                self._act_alone(armed, now)
            if armed.kind.id == "N17" and armed.memory and armed.over(now):
                acts += self._hear_again(armed)
            elif "line" in armed.kind.points and not armed.watches:
                acts += self._act_on_lines(armed, now)
        return acts

    def _act_alone(self, armed: Armed, now: Now) -> None:
        if armed.kind.id == "X22":
            status = None if armed.stopped else alone.status_at(armed, now)
            if status is not None:
                self.tell(armed, "any", 0, status)
                try:
                    self.desk.do("system", {"status": status})
                except FaultError as error:
                    armed.stopped = True
                    self.tell(armed, "any", 0, f"could not: {error}")
            return
        how = str(armed.spec.params.get("how", ""))
        if armed.kind.id == "X26" and how != "tier":
            return
        if armed.due_by_itself(now):
            if armed.kind.id == "X26":
                armed.stopped = True
            what = alone.ALONE[armed.kind.id](_Job(self, armed, self._rest_line))
            self.tell(armed, "any", 0, what)

    def _hear_again(self, armed: Armed) -> list[LineAct]:
        acts = []
        for key in list(armed.memory):
            line = self.lines.get(int(key))
            if line is not None:
                line.deaf = False
                acts.append(LineAct(line.connection, "hear"))
        armed.memory.clear()
        return acts

    def _act_on_lines(self, armed: Armed, now: Now) -> list[LineAct]:
        acts: list[LineAct] = []
        for line in list(self.lines.values()):
            seen = Seen(line.on, line.connection)
            key = str(line.connection)
            if key in armed.memory or not armed.on(now):
                continue
            if not _Job(self, armed, line).seen(seen):
                continue
            armed.memory[key] = 1
            acts.append(alone.ON_LINES[armed.kind.id](_Job(self, armed, line), line))
        return acts


def known() -> list[dict[str, Any]]:
    """List every fault with its parameters, for people who ask."""
    return [
        {"id": kind.id, "name": kind.name, "says": kind.says, "params": dict(kind.params)}
        for kind in KINDS.values()
    ]
