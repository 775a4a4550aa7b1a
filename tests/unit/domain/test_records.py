"""Records: market rows may be thinned, ledger rows never; no type is both."""

import typing

from simple_trader.domain import records as r


def test_no_record_is_of_both_lanes() -> None:
    market, ledger = set(typing.get_args(r.MarketRecord)), set(typing.get_args(r.LedgerRecord))
    assert not market & ledger
    assert set(typing.get_args(r.Record)) == market | ledger


def test_orders_money_and_decisions_are_never_thinned() -> None:
    ledger = set(typing.get_args(r.LedgerRecord))
    assert {r.IntentRow, r.OrderStateRow, r.TradeRow, r.LotRow, r.DecisionRow} <= ledger
    assert {r.BalanceRow, r.LedgerRow, r.RiskRow, r.AuditRow} <= ledger


def test_every_record_names_its_table() -> None:
    assert all((kind.__doc__ or "")[0].islower() for kind in typing.get_args(r.Record))
