"""The faults that a sandbox can make, by id and name, with their parameters and where they act.

Ids and meanings are those of families N and X of the reliability catalogue; S is the rest of
protocol section 15. A parameter whose value here is a number or a text takes another one of its
kind; `trigger` parameters are common to all faults and stand in `spec`.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

Value = str | int | float | bool
Point = Literal["connect", "line", "in", "out", "rest", "time", "listener"]


class Kind(NamedTuple):
    """One fault: where it acts, its parameters with their defaults, and how often by default.

    `limit` None: until it is stopped or its time is over.
    """

    id: str
    name: str
    points: tuple[Point, ...]
    params: Mapping[str, Value]
    limit: int | None
    says: str


def _kind(
    ident: str, name: str, points: str, says: str, count: int | None = None, **params: Value
) -> Kind:
    return Kind(ident, name, tuple(_POINTS[word] for word in points.split()), params, count, says)


_POINTS: dict[str, Point] = {
    name: name for name in ("connect", "line", "in", "out", "rest", "time", "listener")
}

_NETWORK = (
    _kind("N01", "torn-frame", "out", "a frame is cut in the middle, then the connection is reset",
          1, how="torn", share=0.5),
    _kind("N02", "half-open", "line out",
          "nothing is read or written any more, and the socket stays open"),
    _kind("N03", "silent-stall", "out", "pings are answered; no data and no heartbeat"),
    _kind("N04", "channel-stops", "out", "a channel falls silent while heartbeats flow",
          channel="executions", sequence="kept"),
    _kind("N05", "fill-frame-lost", "out", "one execution frame is lost while heartbeats flow", 1,
          channel="executions", exec_type="trade", sequence="kept"),
    _kind("N06", "reconnect-storm", "connect", "connections are accepted, then closed", 200,
          on="ws", code=1001),
    _kind("N07", "refused", "listener", "the port is closed and every connection reset"),
    _kind("N08", "tls-broken", "listener",
          "the port speaks TLS with a certificate that nobody trusts (garbage: bytes, no TLS)",
          how="self-signed"),
    _kind("N09", "private-down", "connect line", "private sockets are closed and refused (503)",
          on="private"),
    _kind("N10", "public-down", "connect line", "public sockets are closed and refused (503)",
          on="public"),
    _kind("N11", "latency", "in out rest",
          "everything takes longer; a lost segment holds up all behind it, as TCP does",
          delay_s=5.0, jitter_s=2.0, loss=0.01, stall_s=1.0),
    _kind("N12", "burst", "line", "thousands of valid messages a second", rate=10_000,
          lasts_s=10.0, feed="book", on="public"),
    _kind("N13", "garbage", "line", "a frame that nobody expects", 1, how="big", size=20_000_000),
    _kind("N14", "symbol-refused", "in", "a subscription is refused for one symbol",
          pair="", text="Currency pair not supported"),
    _kind("N15", "ack-never-comes", "in out", "a subscription is never acknowledged", 1,
          how="swallowed", method="subscribe"),
    _kind("N16", "old-subscription", "out",
          "after a resubscription messages of the old subscription arrive", None, frames=3),
    _kind("N17", "slow-consumer", "line", "the server stops reading: the client's buffer fills"),
)  # fmt: skip

_EXCHANGE = (
    _kind("X01", "ack-lost", "out rest", "the order is accepted, its response is lost", 1,
          method="add_order"),
    _kind("X02", "accepted-late", "in rest", "the order reaches the engine late", 1,
          method="add_order", delay_s=4.0),
    _kind("X03", "bad-gateway", "rest", "the proxy answers HTML although the order did land", 1,
          method="add_order", status=502, lands=True),
    _kind("X04", "fill-before-ack", "out", "events arrive before the response", 1,
          method="add_order", delay_s=0.3),
    _kind("X05", "duplicate-events", "out", "an execution is told three times", None,
          channel="executions", exec_type="trade", times=3, sequence="same"),
    _kind("X06", "out-of-order", "out",
          "events of one burst come last first (how=held: one comes after the next)", 1,
          channel="executions", how="reversed", sequence="renumbered"),
    _kind("X07", "sequence-jump", "out", "the sequence has a gap, restarts at 1 or goes back", 1,
          channel="executions", how="gap", by=3),
    _kind("X08", "rest-lag", "rest", "private REST tells the state of some time ago", lag_s=60.0),
    _kind("X09", "empty-cancel", "rest",
          "REST says canceled and vol_exec 0 although trades exist"),
    _kind("X10", "fast-fill", "out",
          "an order fills at once; its response and its events are lost (a snapshot tells)", 1),
    _kind("X11", "many-fills", "time", "resting orders fill in many small parts", 1,
          fills=60, pair=""),
    _kind("X12", "paging-shifts", "rest", "rows are added between two pages", 1,
          trades=3, pair="BTC/USD"),
    _kind("X13", "bad-checksum", "out", "a book message carries a wrong checksum (or quantity)",
          None, channel="book", how="checksum"),
    _kind("X14", "bad-book", "out", "a crossed, locked, empty, zero, negative or absurd book",
          None, how="crossed"),
    _kind("X15", "wick", "time", "the price falls and comes back", 1, percent=-60.0, lasts_s=20.0,
          pair="BTC/USD"),
    _kind("X16", "reject-storm", "in rest", "every order is refused", None,
          method="add_order", text="EOrder:Trading agreement required"),
    _kind("X17", "no-funds", "in rest", "Insufficient funds although there are enough", 1,
          method="add_order", text="EOrder:Insufficient funds"),
    _kind("X18", "rate-limit", "in rest",
          "a limit is exceeded (how: order, rest, http 429, throttled)", None, how="order"),
    _kind("X19", "bad-nonce", "rest", "EAPI:Invalid nonce", 1, text="EAPI:Invalid nonce"),
    _kind("X20", "locked-out", "in rest", "lockout, key or permission errors", None,
          how="lockout"),
    _kind("X21", "token-expired", "in", "tokens issued before this moment are unknown", None,
          text="Token(s) not found"),
    _kind("X22", "maintenance", "time", "maintenance, cancel_only, post_only, online", 1,
          states="maintenance,cancel_only,post_only,online", step_s=10.0),
    _kind("X23", "announcement", "line", "a maintenance or an emergency is announced", None,
          phase="30m", action="stop_new_orders", emergency=""),
    _kind("X24", "post-only-takes", "in out",
          "a post-only order is refused (how=cancel: canceled on arrival)", 1, how="refuse"),
    _kind("X25", "cancel-race", "in", "an order fills just before its cancel arrives", 1,
          method="cancel_order", how="full", share=0.5),
    _kind("X26", "odd-fee", "in out time",
          "another fee tier, a fee in base, or a fee that is missing at first", None,
          how="missing", volume=1_000_000, corrected=True),
    _kind("X27", "pair-changes", "time", "a pair's status, tick or minimums change", 1,
          pair="BTC/USD", status="", price_increment="", qty_min="", cost_min=""),
    _kind("X28", "outside-money", "time", "a deposit, withdrawal, reward or manual trade", 1,
          how="deposit", asset="USD", amount="100", pair="BTC/USD", side="buy", qty="0.001"),
    _kind("X29", "manual-order", "time", "someone cancels or places an order by hand", 1,
          how="cancel", pair="BTC/USD", side="buy", qty="0.001", price=""),
    _kind("X30", "switch-fired", "time", "the dead man's switch has cancelled all orders", 1),
    _kind("X31", "amend-lost", "in out rest",
          "the amend is done, its response lost (how=filled: the order fills just before)", 1,
          method="amend_order", how="lost"),
    _kind("X32", "batch-part", "in", "one order of a batch is refused", 1, method="batch_add",
          index=0),
    _kind("X33", "too-many-orders", "in rest", "the open-order limit is reached", 1,
          method="add_order", text="EOrder:Orders limit exceeded"),
    _kind("X34", "clock-skew", "in out rest", "the engine's clock is ahead (negative: behind)",
          skew_s=3.0),
)  # fmt: skip

_SWITCHES = (
    _kind("S01", "text-frame", "line", "a text frame that is not JSON", 1,
          text="CloudFlare WebSocket proxy restarting"),
    _kind("S02", "backlog", "out", "frames queue up, then arrive at once and in order", None,
          hold_s=26.0),
    _kind("S03", "exponents", "out", "instrument numbers in exponent form", None,
          channel="instrument"),
    _kind("S04", "big-instrument", "out", "the instrument frame is above 1 MiB", None,
          channel="instrument", size=1_300_000),
    _kind("S05", "no-snapshot", "out", "the snapshot is withheld", 1, channel="book"),
    _kind("S06", "unavailable", "out rest", "EService:Unavailable although the order is accepted",
          1, method="add_order", text="EService:Unavailable"),
    _kind("S07", "trades-again", "out", "public trades are told again after a subscription", 1,
          channel="trade", frames=5),
    _kind("S08", "too-chatty", "line", 'the frame {"Error":"Exceeded msg rate"}', 1),
)  # fmt: skip

KINDS: dict[str, Kind] = {kind.id: kind for kind in (*_NETWORK, *_EXCHANGE, *_SWITCHES)}
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS.values()}
