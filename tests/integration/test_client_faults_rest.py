"""Faults of family X that the client meets on REST: typed, waited out, never acted on twice."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import pytest
from faulty_sandbox import There
from rest_parts import client_on

from simple_trader.adapters.kraken import rest_client
from simple_trader.adapters.kraken.errors import ErrorKind, KrakenRefused
from simple_trader.adapters.kraken.http_client import HttpClient
from simple_trader.adapters.kraken.resolver import Resolver
from simple_trader.adapters.kraken.rest_client import RestClient
from simple_trader.adapters.kraken.rest_manager import KrakenRest
from simple_trader.domain.actions import AskReconcile, Question
from simple_trader.domain.errors import VenueUnreachable
from simple_trader.domain.events import FeesSeen, Reconciled
from simple_trader.domain.instruments import PairStatus, VenueStatus
from simple_trader.sandbox.settings import DEFAULT_KEY, DEFAULT_SIGNING_TEXT

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rest_client, "_FIRST_PAUSE_S", 0.01)


@pytest.fixture
async def client(there: There) -> AsyncIterator[RestClient]:
    http = HttpClient("simple-trader/test")
    yield client_on(http, url=there.url, key=DEFAULT_KEY, secret=DEFAULT_SIGNING_TEXT)
    await http.close()


@pytest.fixture
def rest(client: RestClient) -> KrakenRest:
    return KrakenRest(client)


async def test_x03_bad_gateway_after_the_cancel_landed_is_an_unknown_outcome(
    there: There, rest: KrakenRest
) -> None:
    there.do("place", pair="BTC/USD", side="buy", qty="0.01", price="1000.0")
    (order,) = await rest.open_orders()
    there.fault("X03 method=cancel_all")
    with pytest.raises(VenueUnreachable, match="502"):
        await rest.cancel_all()
    assert there.fired("X03") == 1, "it was asked once"
    assert await rest.open_orders() == (), "and it did land"
    (seen,) = await rest.orders_by_id([order.order_id])
    assert seen.status == "canceled"


@pytest.mark.parametrize("how", ["rest", "http"])
async def test_x18_a_full_counter_is_waited_out_and_the_read_succeeds(
    there: There, rest: KrakenRest, how: str
) -> None:
    there.fault(f"X18 how={how} count=2")
    assert await rest.balances()
    assert there.fired("X18") == 2


async def test_x18_a_throttle_is_typed_and_a_cancel_is_not_repeated(
    there: There, rest: KrakenRest
) -> None:
    there.fault("X18 how=throttled count=1")
    with pytest.raises(KrakenRefused, match="Throttled") as refused:
        await rest.cancel_all()
    assert refused.value.kind is ErrorKind.RATE
    assert there.fired("X18") == 1


async def test_x19_a_bad_nonce_once_is_leapt_over_and_a_stubborn_one_is_told(
    there: There, rest: KrakenRest
) -> None:
    there.fault("X19 count=1")
    assert await rest.balances()
    there.fault("X19 count=all")
    with pytest.raises(KrakenRefused) as refused:
        await rest.balances()
    assert refused.value.kind is ErrorKind.NONCE
    assert there.fired("X19") == 3


@pytest.mark.parametrize(
    ("how", "closed"),
    [("lockout", True), ("key", True), ("signature", True), ("permission", False)],
)
async def test_x20_locked_out_stops_asking(
    there: There, rest: KrakenRest, how: str, closed: bool
) -> None:
    """A permission that is missing closes only the endpoint that wants it."""
    there.fault(f"X20 how={how}")
    for _ in range(4):
        with pytest.raises(KrakenRefused) as refused:
            await rest.open_orders()
        assert refused.value.kind is ErrorKind.FATAL
    assert there.fired("X20") == 1
    with pytest.raises(KrakenRefused):
        await rest.balances()
    assert there.fired("X20") == (1 if closed else 2)


async def test_x22_each_state_of_the_exchange_is_read(there: There, rest: KrakenRest) -> None:
    for status in ("maintenance", "cancel_only", "post_only", "online"):
        there.do("system", status=status)
        assert await rest.system_status() is VenueStatus(status)


async def test_x26_another_tier_is_seen_at_the_next_full_look(
    there: There, rest: KrakenRest
) -> None:
    resolver = Resolver(rest, lambda: there.exchange.now, lambda: ("BTC/USD", "ETH/USD"))

    async def look() -> dict[str, FeesSeen]:
        asked = Question(
            question_id="q", kind="account", subject="all", asked_at=there.exchange.now,
            deadline_s=30, config_hash="",
        )  # fmt: skip
        since = there.exchange.now - timedelta(minutes=5)
        events = await resolver.reconcile(AskReconcile(question=asked, since=since))
        assert isinstance(events[-1], Reconciled)
        return {event.fees.pair: event for event in events if isinstance(event, FeesSeen)}

    before = await look()
    there.fault("X26 how=tier volume=600000")
    await there.step(2)
    after = await look()
    assert set(before) == set(after) == {"BTC/USD", "ETH/USD"}
    assert all(after[pair].fees.taker < before[pair].fees.taker for pair in after)


async def test_x27_a_pair_that_changes_is_read_with_its_new_rules(
    there: There, rest: KrakenRest
) -> None:
    before = {rules.pair: rules for rules in await rest.pairs()}["BTC/USD"]
    there.fault("X27 pair=BTC/USD status=cancel_only qty_min=0.002 price_increment=0.5")
    await there.step(2)
    after = {rules.pair: rules for rules in await rest.pairs()}["BTC/USD"]
    assert before.status is PairStatus.ONLINE
    assert after.status is PairStatus.CANCEL_ONLY
    assert (after.qty_min, after.price_increment) == (Decimal("0.002"), Decimal("0.5"))
    assert rest.symbols.rules("BTC/USD") == after
