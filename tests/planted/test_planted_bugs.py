"""The planted bugs are there, each changes something, and the cheapest are caught here and now."""

import pytest
from planted import catalogue, hunt
from planted.patching import replaced

CHEAP = ("skip-intent-commit", "no-deadline", "lot-booked-twice", "resend-on-timeout")


def test_there_are_more_than_twenty_and_each_has_a_name_a_sentence_and_ids():
    assert len(catalogue.BUGS) >= 26
    for name, bug in catalogue.BUGS.items():
        assert bug.name == name
        assert bug.what
        assert bug.places
        assert bug.ids


def test_every_bug_has_the_seed_that_shows_it():
    missing = set(catalogue.BUGS) - set(catalogue.load())
    assert not missing, "make planted ARGS=--record"


@pytest.mark.parametrize("name", catalogue.BUGS)
def test_a_bug_changes_what_is_there_and_puts_it_back(name):
    """A name that moved raises here: the bug would plant nothing."""
    bug = catalogue.BUGS[name]
    before = [_value(place) for place, _ in (*bug.world, *bug.places)]
    with bug.planted():
        planted = [_value(place) for place, _ in (*bug.world, *bug.places)]
    assert all(old is not new for old, new in zip(before, planted, strict=True))
    assert [_value(place) for place, _ in (*bug.world, *bug.places)] == before


def _value(place: str) -> object:
    import importlib

    module, _, path = place.partition(":")
    value: object = importlib.import_module(module)
    for name in path.split("."):
        value = getattr(value, name)
    return value


def test_a_place_that_is_gone_is_an_error():
    with pytest.raises(AttributeError), replaced("simple_trader.domain.money:gone", lambda old: 1):
        pass


def test_what_only_breaks_the_harness_proves_nothing():
    class Verdict:
        found = ("HARNESS: I-01: x", "END: the daemon ended: TypeError: x", "LIVE: REDUCE")

    assert hunt.proofs("no-intent-row", Verdict) == []


@pytest.mark.parametrize("name", CHEAP)
def test_a_cheap_planted_bug_is_caught(name, postgres_server, simulation_template):
    from planted import bench

    known, bug = catalogue.load()[name], catalogue.BUGS[name]
    verdict = bench.run(postgres_server.dsn, known.seed, known.minutes, bug)
    assert set(hunt.proofs(name, verdict)) & set(known.ids), verdict.found
