"""A person's word on a balance: one file for each asset, taken once, never by another's name."""

import json

from simple_trader.domain.events import OperatorExplained
from simple_trader.runtime.control import OperatorDesk


def test_an_explained_balance_is_taken_once_with_its_asset_and_reason(tmp_path) -> None:
    events: list = []
    desk = OperatorDesk(tmp_path, events.append)
    request = {"actor": "ann", "reason": "fee of the bank"}
    (tmp_path / "explain-ETH.S.json").write_text(json.dumps(request))
    desk.look()
    desk.look()
    assert events == [OperatorExplained(asset="ETH.S", actor="ann", detail="fee of the bank")]
    assert list(tmp_path.iterdir()) == []
    assert not desk.kill_switch
