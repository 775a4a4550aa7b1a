"""What came of a command or a market step; each report carries a copy of the order as it was."""

import msgspec

from simple_trader.simulator.orders import Entry, Order, SystemStatus, Trade


class Refused(msgspec.Struct, frozen=True, tag=True):
    """The command was refused with Kraken's words; nothing changed but the rate counter."""

    error: str


class Checked(msgspec.Struct, frozen=True, tag=True):
    """A `validate` order passed every check; nothing changed but the rate counter."""

    order: Order


class Opened(msgspec.Struct, frozen=True, tag=True):
    """An order was accepted (Kraken's pending_new and new).

    A scheduled order carries the status `pending_new`: only that event is due, `Started` follows.
    """

    order: Order


class Started(msgspec.Struct, frozen=True, tag=True):
    """A scheduled order has begun (Kraken's new)."""

    order: Order


class Traded(msgspec.Struct, frozen=True, tag=True):
    """An order filled in part or in whole; both ledger entries are posted."""

    order: Order
    trade: Trade
    entries: tuple[Entry, ...]


class Closed(msgspec.Struct, frozen=True, tag=True):
    """An order ended; `order.status` is filled, canceled or expired."""

    order: Order


class Amended(msgspec.Struct, frozen=True, tag=True):
    """An open order was changed in place."""

    order: Order
    amend_id: str


class Replaced(msgspec.Struct, frozen=True, tag=True):
    """The answer to an edit; `Closed` of the old order and `Opened` of the new one follow.

    It is no event of its own on the executions channel.
    """

    order: Order
    original_order_id: str


class Triggered(msgspec.Struct, frozen=True, tag=True):
    """A trigger moved or fired (exec_type `status`); look at `order.trigger`."""

    order: Order


class Restated(msgspec.Struct, frozen=True, tag=True):
    """The engine changed an order by itself, for the reason given."""

    order: Order
    reason: str


class Refilled(msgspec.Struct, frozen=True, tag=True):
    """An iceberg shows its next slice (exec_type `iceberg_refill`)."""

    order: Order


class Posted(msgspec.Struct, frozen=True, tag=True):
    """Ledger entries without a trade: deposits, withdrawals, rewards, adjustments."""

    account: str
    entries: tuple[Entry, ...]


class SystemChanged(msgspec.Struct, frozen=True, tag=True):
    """The whole exchange took another status."""

    status: SystemStatus


class PairChanged(msgspec.Struct, frozen=True, tag=True):
    """A pair took another status or other rules; `Venue.pairs` and `status_of` hold them."""

    symbol: str


Single = (
    Refused
    | Checked
    | Opened
    | Started
    | Traded
    | Closed
    | Amended
    | Replaced
    | Triggered
    | Restated
    | Refilled
    | Posted
    | SystemChanged
    | PairChanged
)


class BatchReports(msgspec.Struct, frozen=True, tag=True):
    """The answer to a batch: `parts` has one list of reports for each of its orders, in order.

    A part begins with Opened, Checked or Refused (cancel: Closed or Refused). It stands first in
    what `apply` gives; all reports of all parts follow it once more, flat, ready to be published.
    It is no event of its own. A batch refused as a whole gives one `Refused` and no BatchReports.
    """

    parts: tuple[tuple[Single, ...], ...]


Report = Single | BatchReports


def symbol_of(report: Report) -> str | None:
    """Give the pair whose book a report may have changed; None when no book is touched."""
    if isinstance(report, Refused | Checked | Replaced | Posted | SystemChanged | BatchReports):
        return None
    return report.symbol if isinstance(report, PairChanged) else report.order.symbol
