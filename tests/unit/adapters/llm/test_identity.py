"""Another model behind the same name is an alarm; an answer that came before is none."""

import logging
from typing import Any

import pytest

from simple_trader.adapters.llm.answers import Answer
from simple_trader.adapters.llm.identity import Identity
from simple_trader.adapters.llm.provider import STAND_IN_LABEL, ProviderSettings


def provider(**changes: Any) -> ProviderSettings:
    given: dict[str, Any] = {"name": "p", "base_url": "http://p/v1", "model": "gpt"}
    return ProviderSettings(**(given | changes))


def answer(model: str = "gpt-1", completion: str = "") -> Answer:
    return Answer(
        raw="{}", kind="content", finish_reason="stop", model=model, tokens_in=1, tokens_out=1,
        completion=completion,
    )  # fmt: skip


def test_l16_the_first_name_is_no_alarm_and_the_same_again_is_none(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = Identity()
    assert watch.note(provider(), answer("gpt-1")) == ""
    assert watch.note(provider(), answer("gpt-1")) == ""
    assert watch.note(provider(), answer("")) == ""
    assert caplog.records == []


def test_l16_another_name_is_an_alarm_that_people_see(caplog: pytest.LogCaptureFixture) -> None:
    watch = Identity()
    watch.note(provider(), answer("gpt-1"))
    said = watch.note(provider(), answer("gpt-2"))
    assert "answers as gpt-2 now, not as gpt-1" in said
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert watch.note(provider(), answer("gpt-2")) == ""


def test_l16_a_change_over_a_restart_is_noticed_too() -> None:
    watch = Identity({("p", "gpt"): "gpt-1"})
    assert "gpt-2" in watch.note(provider(), answer("gpt-2"))
    assert watch.note(provider(model="other"), answer("o-1")) == ""


def test_l14_a_completion_is_taken_once() -> None:
    watch = Identity()
    assert not watch.is_replay(provider(), answer(completion="c-1 100"))
    assert watch.is_replay(provider(), answer(completion="c-1 100"))
    assert not watch.is_replay(provider(), answer(completion="c-1 101"))
    assert not watch.is_replay(provider(base_url="http://q/v1"), answer(completion="c-1 100"))
    assert not watch.is_replay(provider(), answer())
    ours = provider(label=STAND_IN_LABEL)
    assert not watch.is_replay(ours, answer(completion="c-1 100"))
