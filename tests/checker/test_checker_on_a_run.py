"""The checker is content with a real run in calm, and sees that it looked at something."""


def test_a_calm_run_is_clean(run):
    assert run.judged() == []


def test_the_run_holds_what_the_rules_look_at(run):
    states = {row["state"] for row in run.rows.orders}
    assert len(run.rows.orders) >= 8
    assert "FILLED" in states
    assert {row["side"] for row in run.rows.orders} == {"buy", "sell"}
    assert run.rows.order_history
    assert run.rows.order_history[0]["committed_at"] is not None
    assert run.rows.risk_history
    assert len(run.rows.journal) > 3
    assert any(entry.way == "sent" for entry in run.wire)
    assert any(entry.way == "rest" for entry in run.wire)
