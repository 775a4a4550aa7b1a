"""A slice of `make lost-acks`: every case of a few worlds is settled rightly, once and in time."""

import pytest

from lost_acks.run import CASES_EACH, campaign, play

SLICE = range(1, 9)
pytestmark = pytest.mark.timeout(120)


def test_i_03_i_05_x01_x02_lost_acknowledgements_are_settled_rightly_and_in_time() -> None:
    """Never sent twice, never given up while it is there, given up between 75 and 90 s else."""
    wrong, delays, counts = campaign(SLICE)
    assert wrong == []
    assert counts["cases"] == CASES_EACH * len(SLICE)
    assert counts["worlds whose REST lags 60 s"] >= 1
    assert {"not landed", "rest", "stream"} <= set(delays)
    assert all(75 < delay <= 90 for delay in delays["not landed"])


def test_a_world_is_a_function_of_its_seed() -> None:
    def told() -> list[tuple[str, str, float]]:
        return [(name, verdict.kind, verdict.delay_s) for name, verdict in play(2)[1]]

    assert told() == told()


def test_the_judge_tells_what_is_wrong() -> None:
    """An order that is there, taken as never accepted, sent twice, its fill lost: all are seen."""
    from lost_acks.judge import judge
    from simple_trader.domain.order_states import OrderState

    world, _ = play(1)
    landed = next(case for case in world.side.cases.values() if case.fills)
    landed.sends = 2
    landed.fills = []
    landed.states.append((landed.states[-1][0], OrderState.NOT_ACCEPTED))
    world.side.untold.clear()
    words = " ".join(judge(world, landed).wrong)
    assert "sent 2 times" in words
    assert "never accepted" in words
    assert "fills are []" in words
