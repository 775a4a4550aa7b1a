"""Views are plain values that a status page can carry."""

import msgspec
from brain_desk import Desk

from simple_trader.domain.views import StatusView


def test_the_card_of_a_running_brain_can_be_sent_to_a_terminal() -> None:
    desk = Desk()
    desk.open()
    desk.place()
    card = desk.engine.view(desk.at)
    assert msgspec.json.decode(msgspec.json.encode(card), type=StatusView) == card
