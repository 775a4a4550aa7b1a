"""The switches of the venue: one for each habit of Kraken's that no public source settles."""

from typing import Literal

import msgspec


class VenueRules(msgspec.Struct, frozen=True):
    """How the venue reads an open question (protocol sections 8, 9 and 16).

    `post_only`: an order that would take is refused at once, accepted and then canceled, or either
    by a draw from seed and order number. `ioc_remainder`, `stp_victim`: the status with which the
    rest of an IOC or FOK order, or a self-trade victim, ends. `fee_default`: the fee currency of
    an order that names none; `documented` is quote for buys and base for sells. `amend_priority`:
    a pure decrease keeps its place in the queue, or no amend does. `qty_min_error` and
    `qty_precision_error`: the category of the refusal. `index_down`: what an order with an index
    trigger gets while there is no index price. `scheduled_orders`: most orders of a pair that wait
    for their start. `min_deadline_ms`: the nearest deadline; documented are 500 ms ahead of the
    client's clock, and an order needs some of them for its way.
    """

    post_only: Literal["refuse", "cancel", "both"] = "refuse"
    ioc_remainder: Literal["canceled", "expired"] = "canceled"
    stp_victim: Literal["canceled", "expired"] = "canceled"
    fee_default: Literal["quote", "documented"] = "quote"
    amend_priority: Literal["decrease", "never"] = "decrease"
    qty_min_error: Literal["arguments", "order"] = "arguments"
    qty_precision_error: Literal["arguments", "order"] = "arguments"
    index_down: Literal["last", "refuse"] = "last"
    scheduled_orders: int = 25
    min_deadline_ms: int = 400
