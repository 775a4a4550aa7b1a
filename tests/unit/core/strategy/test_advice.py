"""Advice: one entry for each asked pair, whatever comes back; what is not plainly right is HOLD."""

import json

import pytest
from advice_parts import BUY, GOOD, answer, asked, both, decision, reasons
from hypothesis import given, settings
from hypothesis import strategies as st
from market_parts import BTC, ETH

from simple_trader.core.strategy.advice import Advice, Unusable, judge
from simple_trader.domain.reasons import Reason

MARK = "\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("kind", ["content", "tool_call"])
def test_a_good_answer_gives_advice_for_each_pair(kind: str) -> None:
    got = asked(GOOD, kind=kind)
    assert got[BTC] == BUY
    hold = got[ETH]
    assert isinstance(hold, Advice)
    assert (hold.pair, hold.action) == (ETH, "hold")


# -- L03: the shape of the text ------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        f"```json\n{GOOD}\n```",
        f"\ufeff{GOOD}",
        f"<think>Shall I {{buy}}? [1, 2]</think>{GOOD}",
        f"My answer is {GOOD} as you asked.",
    ],
    ids=["fence", "BOM", "think", "prose"],
)
def test_l03_one_clear_object_is_read_from_content_but_not_from_tool_arguments(raw: str) -> None:
    assert asked(raw) == asked(GOOD)
    assert reasons(raw, kind="tool_call") == both(Reason.ADVICE_MALFORMED)


@pytest.mark.parametrize(
    "raw",
    [
        GOOD[:-1],
        GOOD[: len(GOOD) // 2],
        GOOD + GOOD,
        f"{GOOD}\n{{}}",
        f"[{GOOD}]",
        GOOD.replace("0.8", "NaN"),
        GOOD.replace("0.8", "Infinity"),
        GOOD.replace('"low", ', '"low", "pair": "ETH/USD", '),
        GOOD.replace("}]", "},]"),
        json.dumps(GOOD),
        "<think>" + GOOD,
        "",
        "I'm sorry, but I cannot give financial advice.",
        "Je ne peux pas répondre.",
        "BTC/USD: buy, confidence 0.9, low risk",
    ],
    ids=[
        "cut by one", "cut in half", "two objects", "object and empty one", "list", "NaN",
        "Infinity", "duplicate key", "trailing comma", "nested JSON string", "open think", "empty",
        "refusal", "other language", "keywords",
    ],
)  # fmt: skip
def test_l03_l11_anything_else_is_hold_for_every_pair(raw: str) -> None:
    assert reasons(raw) == both(Reason.ADVICE_MALFORMED)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [
        ("length", Reason.ADVICE_TRUNCATED),
        ("max_tokens", Reason.ADVICE_TRUNCATED),
        ("LENGTH", Reason.ADVICE_TRUNCATED),
        ("content_filter", Reason.ADVICE_REFUSED_BY_MODEL),
        ("refusal", Reason.ADVICE_REFUSED_BY_MODEL),
        ("error", Reason.ADVICE_MALFORMED),
        ("\x00\ud800", Reason.ADVICE_MALFORMED),
    ],
)
def test_l03_l11_an_answer_that_was_not_finished_is_not_read(finish: str, reason: Reason) -> None:
    assert reasons(GOOD, finish=finish) == both(reason)


@pytest.mark.parametrize("finish", ["stop", "tool_calls", "function_call", "", "STOP"])
def test_a_finished_answer_is_read(finish: str) -> None:
    assert asked(GOOD, finish=finish)[BTC] == BUY


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("{}", Reason.ADVICE_MALFORMED),
        ('{"decisions": null}', Reason.ADVICE_MALFORMED),
        ('{"decisions": {}}', Reason.ADVICE_WRONG_TYPE),
        ('{"decisions": "buy"}', Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), "buy"), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), None), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), {"action": "buy"}), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), decision(5)), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), confidence="high"), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), confidence=2), Reason.ADVICE_OUT_OF_RANGE),
        (answer(decision(), rationale=None), Reason.ADVICE_WRONG_TYPE),
        (answer(decision(), max_exposure=1), Reason.ADVICE_MALFORMED),
        (answer(decision(), sentiment=0), Reason.ADVICE_MALFORMED),
        (answer(decision(), price_target=None), Reason.ADVICE_MALFORMED),
        (json.dumps(decision()), Reason.ADVICE_MALFORMED),
    ],
)
def test_a_wrong_frame_spoils_every_pair(raw: str, reason: Reason) -> None:
    assert reasons(raw) == both(reason)


# -- L07, L08: pairs -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "btc/usd",
        "XBT/USD",
        "BTCUSD",
        "BTC-USD",
        " BTC/USD",
        "\N{CYRILLIC CAPITAL LETTER VE}TC/USD",
        "BTC/USD\x00",
        "LUNA/USD",
        "",
    ],
    ids=["lower case", "XBT", "no slash", "dash", "space", "homoglyph", "NUL", "other", "empty"],
)
def test_l07_a_look_alike_is_not_the_pair(name: str) -> None:
    got = asked(answer(decision(name), decision(ETH)))
    first = got[BTC]
    assert isinstance(first, Unusable)
    assert first.reason is Reason.ADVICE_UNKNOWN_PAIR
    assert isinstance(got[ETH], Advice)


def test_l07_a_stranger_beside_the_asked_pairs_changes_nothing() -> None:
    assert asked(answer(decision(), decision(ETH), decision("LUNA/USD")))[BTC] == BUY


def test_a_pair_that_is_not_named_is_missing() -> None:
    assert reasons(answer(decision())) == {BTC: None, ETH: Reason.ADVICE_MISSING_PAIR}
    assert reasons(answer()) == both(Reason.ADVICE_MISSING_PAIR)


@pytest.mark.parametrize("second", ["buy", "sell", "hold"])
def test_l08_two_decisions_about_one_pair_are_both_refused(second: str) -> None:
    raw = answer(decision(), decision(action=second), decision(ETH))
    assert reasons(raw) == {BTC: Reason.ADVICE_DUPLICATE, ETH: None}


# -- L09: limits ---------------------------------------------------------------------------


def test_l09_a_thousand_decisions_are_too_many() -> None:
    many = [decision(f"P{number}/USD", rationale="") for number in range(1_000)]
    assert reasons(answer(decision(), *many)) == both(Reason.ADVICE_TOO_LONG)
    assert reasons(answer(*many[:65])) == both(Reason.ADVICE_TOO_LONG)


def test_l09_as_many_decisions_as_were_asked_for_are_never_too_many() -> None:
    pairs = tuple(f"P{number}/USD" for number in range(100))
    got = asked(answer(*(decision(pair) for pair in pairs)), pairs=pairs)
    assert all(isinstance(entry, Advice) for entry in got.values())


def test_l09_a_rationale_of_five_megabytes_is_too_long() -> None:
    raw = answer(decision(rationale="x" * 5_000_000))
    assert reasons(raw) == both(Reason.ADVICE_TOO_LONG)


def test_what_goes_into_the_database_can_be_stored() -> None:
    got = asked('{"decisions": [' + json.dumps(decision(rationale="a\x00\ud800\x1b[2J")) + "]}")[
        BTC
    ]
    assert isinstance(got, Advice)
    assert got.rationale == f"a{3 * MARK}[2J"
    refused = asked(answer(decision("\ud800\x00"), decision(ETH, action="\x00\udfff")))
    for entry in refused.values():
        assert isinstance(entry, Unusable)
        entry.detail.encode()
        assert "\x00" not in entry.detail


# -- any text ------------------------------------------------------------------------------

VALUES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats()
    | st.sampled_from(["buy", "sell", "hold", "low", "high", BTC, ETH, "0.8"])
    | st.text(st.characters(exclude_categories=()), max_size=8)
)
NAMES = st.sampled_from(
    ["pair", "action", "confidence", "risk_level", "rationale", "stop_loss", "x"]
)
DECISIONS = st.lists(st.dictionaries(NAMES, VALUES, max_size=7) | VALUES, max_size=5)
ANSWERS = st.fixed_dictionaries(
    {"decisions": DECISIONS | VALUES}, optional={"confidence": VALUES, "more": VALUES}
).map(json.dumps)
TEXTS = st.text(st.characters(exclude_categories=()), max_size=300)
AROUND = st.builds(lambda a, b, c: a + b + c, TEXTS, ANSWERS, TEXTS)


@settings(deadline=None, max_examples=400)
@given(
    TEXTS | ANSWERS | AROUND,
    st.sampled_from(["content", "tool_call", "", "x"]),
    st.sampled_from(["stop", "tool_calls", "length", "content_filter", ""]) | st.text(max_size=5),
    st.lists(st.sampled_from([BTC, ETH, "SOL/USD"]), unique=True).map(tuple),
)
def test_i_37_any_text_gives_one_entry_for_each_asked_pair_and_never_raises(
    raw: str, kind: str, finish: str, pairs: tuple[str, ...]
) -> None:
    got = judge(raw, kind=kind, finish_reason=finish, pairs=pairs)
    assert tuple(got) == pairs
    for pair, entry in got.items():
        if isinstance(entry, Advice):
            assert entry.pair == pair
            assert entry.action in {"buy", "sell", "hold"}
            assert entry.risk_level in {"low", "medium", "high"}
            assert 0.0 <= entry.confidence <= 1.0
        else:
            assert entry.reason.name.startswith("ADVICE_")
            entry.detail.encode()


@settings(deadline=None)
@given(st.integers(0, len(GOOD) - 1))
def test_l03_a_cut_answer_is_never_read(cut: int) -> None:
    assert not any(isinstance(entry, Advice) for entry in asked(GOOD[:cut]).values())
