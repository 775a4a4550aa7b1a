"""Every reason has its sentence, and no sentence is without a reason."""

import pytest

from simple_trader.domain.reasons import TEXT, Reason


@pytest.mark.parametrize("reason", list(Reason))
def test_a_person_can_read_every_reason(reason: Reason) -> None:
    assert TEXT[reason].endswith(".")


def test_texts_and_reasons_are_the_same_set() -> None:
    assert set(TEXT) == set(Reason)


def test_names_are_plain_words_for_the_database() -> None:
    assert all(r.value.replace("_", "").isalnum() and r.value.islower() for r in Reason)
