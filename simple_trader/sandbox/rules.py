"""Switches of what clients see where no public source settles Kraken's habits (section 16)."""

from typing import Literal

import msgspec

from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.rules import VenueRules


class SurfaceRules(msgspec.Struct, frozen=True, kw_only=True):
    """One field for each open question of the protocol; the default is our best reading.

    `rate_field`: name of the counter in executions. `snapshot_exec_type`: exec_type of open orders
    in the snapshot (question 3). `snapshot_messages`: orders and trades in one snapshot or two.
    `final_fields`: `full` repeats symbol, side and type on filled, canceled and expired (question
    2). `batch_refused`: a refused element of batch_add as `error` object or as `null` (question 5).
    `batch_cancel_count`: `result` or the top-level `orders_cancelled` (section 8.8). `ohlc_rows`:
    candles of the ohlc snapshot (question 6). `duplicate`: a second subscribe is refused or acked
    again (question 10). `wrong_socket`: text of a private request on the public address (question
    10). `bad_token`: text of an unknown token. `disarmed`: triggerTime of a disarmed switch.
    `trade_snapshot`: default of the trade channel's snapshot flag (section 3.3). `idle_by`: what
    keeps a silent connection open (question 11). `key_info`: field names of GetApiKeyInfo.
    `rest_failure`: `result` absent or null beside an error. `history_cost`: REST cost of history
    calls. `orders_count_rest`: order calls cost one, too. `public_limit`: public REST calls a
    second and address, 0 for none. `message_limit`: client messages a second and connection, 0 for
    none. `lockout_after` failures of a key in a minute lock it for `lockout_s` seconds.
    """

    rate_field: str = "ratecount"
    snapshot_exec_type: Literal["new", "status"] = "new"
    snapshot_messages: Literal["one", "two"] = "one"
    final_fields: Literal["lean", "full"] = "lean"
    batch_refused: Literal["error", "null"] = "error"
    batch_cancel_count: Literal["result", "top"] = "result"
    ohlc_rows: int = 720
    duplicate: Literal["refuse", "ack"] = "refuse"
    wrong_socket: Literal["explain", "permission"] = "explain"
    bad_token: Literal["not_found", "session"] = "not_found"
    disarmed: Literal["zero", "now"] = "zero"
    trade_snapshot: bool = False
    idle_by: Literal["subscription", "client"] = "subscription"
    key_info: Literal["camel", "snake"] = "camel"
    rest_failure: Literal["absent", "null"] = "absent"
    history_cost: int = 4
    orders_count_rest: bool = False
    public_limit: int = 0
    message_limit: int = 0
    lockout_after: int = 20
    lockout_s: int = 900


def read_rules(pairs: tuple[str, ...]) -> tuple[SurfaceRules, VenueRules]:
    """Read `name=value` switches of both layers; raises SandboxError with one sentence."""
    surface = {field.name: field.type for field in msgspec.structs.fields(SurfaceRules)}
    venue = {field.name: field.type for field in msgspec.structs.fields(VenueRules)}
    chosen: dict[str, dict[str, object]] = {"surface": {}, "venue": {}}
    for text in pairs:
        name, equals, value = (part.strip() for part in text.partition("="))
        room = "surface" if name in surface else "venue" if name in venue else None
        if not equals or room is None:
            known = ", ".join(sorted({*surface, *venue}))
            raise SandboxError(f"the rule {text!r} is not name=value of one of: {known}.")
        kind = surface[name] if room == "surface" else venue[name]
        try:
            chosen[room][name] = msgspec.convert(value, kind, strict=False)
        except msgspec.ValidationError as error:
            raise SandboxError(f"the rule {text!r} has no usable value: {error}.") from error
    field = chosen["surface"].get("rate_field", "ratecount")
    if not isinstance(field, str) or not field.isidentifier():
        raise SandboxError("the rule rate_field must be the name of a field, such as ratecount.")
    numbers = [value for value in chosen["surface"].values() if type(value) is int]
    if any(number < 0 for number in numbers):
        raise SandboxError("a rule that counts something must be 0 or more.")
    return (
        msgspec.convert(chosen["surface"], SurfaceRules),
        msgspec.convert(chosen["venue"], VenueRules),
    )
