"""What every rule of the checker is given: wire, truth, rows and facts of one run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from checker.record import Facts
from checker.rows import Row, Rows
from checker.truth import TrueOrder, Truth, is_ours
from checker.wire import SentOrder, Wire

# States in which an order of ours may still fill, and those that are an end (reliability, 4).
LIVE = {"DISPATCHING", "SENT", "OPEN", "AMENDING", "PARTIAL", "PENDING_CANCEL", "UNKNOWN"}
NEVER_THERE = {"VOID", "REJECTED", "NOT_ACCEPTED"}
ENDED = {"FILLED", "CANCELED", "EXPIRED", *NEVER_THERE}
UNKNOWN_LIFE = timedelta(seconds=90)  # T_rec of an order of unknown outcome, after its deadline


@dataclass
class Evidence:
    """One run as seen from outside the daemon."""

    wire: Wire
    truth: Truth
    rows: Rows
    facts: Facts

    @cached_property
    def orders(self) -> dict[str, Row]:
        """Rows of pending_trades by client order id."""
        return self.rows.by_id()

    @cached_property
    def history(self) -> dict[str, list[Row]]:
        """The versions of each order, oldest first."""
        return self.rows.history_of()

    @cached_property
    def true_orders(self) -> dict[str, list[TrueOrder]]:
        """Orders of ours at the exchange, by client order id."""
        return self.truth.of_ours(self.facts.prefix)

    @cached_property
    def foreign(self) -> list[TrueOrder]:
        """Orders of the account that somebody else made."""
        return [order for order in self.truth.orders if not self.ours(order.cl_ord_id)]

    def ours(self, cl_ord_id: str | None) -> bool:
        """Whether a client order id is one of ours."""
        return is_ours(cl_ord_id, self.facts.prefix)

    def sends(self) -> Iterator[tuple[SentOrder, Row | None]]:
        """Every order on the wire with its row."""
        for order in self.wire.orders:
            yield order, self.orders.get(str(order.cl_ord_id))


Rule = Callable[[Evidence], Iterator[str]]
