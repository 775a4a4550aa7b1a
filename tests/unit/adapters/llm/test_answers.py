"""Reading a chat completion: whatever the bytes are, an answer or a reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simple_trader.adapters.llm.answers import MAX_TOKENS, Answer, Unusable, read_answer
from simple_trader.domain.reasons import Reason

JSONS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = ("content", "refusal", "tool_calls", "role")


@given(st.binary())
def test_i37_any_bytes_are_an_answer_or_a_reason(body: bytes) -> None:
    with pytest.raises(Unusable) as error:
        read_answer(body, expected_function="f")
    # A body like {"error": [""]} tells of a failure, whatever else is in it.
    assert error.value.reason in {Reason.ADVICE_MALFORMED, Reason.ADVICE_FAILED}


@given(st.dictionaries(st.sampled_from(FIELDS), JSONS), JSONS, JSONS)
def test_i37_any_message_is_an_answer_or_a_reason(
    message: object, finish: object, usage: object
) -> None:
    choice = {"message": message, "finish_reason": finish}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    try:
        answer: Answer | Unusable = read_answer(body, expected_function="f")
    except Unusable as error:
        answer = error
    if isinstance(answer, Unusable):
        assert answer.reason in {
            Reason.ADVICE_MALFORMED, Reason.ADVICE_REFUSED_BY_MODEL, Reason.ADVICE_FAILED,
        }  # fmt: skip
    else:
        assert answer.kind in {"content", "tool_call"}


@pytest.mark.parametrize("where", ['"usage":', '"choices":[{"message":{"more":', '"unknown":'])
@pytest.mark.parametrize("bracket", ["[", '{"a":'])
def test_i37_brackets_without_end_are_a_reason_wherever_they_stand(
    where: str, bracket: str
) -> None:
    with pytest.raises(Unusable) as error:
        read_answer(f"{{{where}{bracket * 100_000}".encode(), expected_function="f")
    assert error.value.reason is Reason.ADVICE_MALFORMED
    assert error.value.used is None, "another provider may be asked"


def test_raw_arguments_are_handed_on_byte_for_byte() -> None:
    raw = '{ "decisions":[ ] ,"x":1e309}\n'
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": raw}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {
        "model": "m",
        "choices": [{"message": message, "finish_reason": "tool_calls"}],
        "usage": {"prompt_tokens": 12, "completion_tokens": 3},
    }
    assert read_answer(json.dumps(body).encode(), expected_function="f") == Answer(
        raw=raw,
        kind="tool_call",
        finish_reason="tool_calls",
        model="m",
        tokens_in=12,
        tokens_out=3,
    )


def test_a_call_where_no_tool_was_offered_is_malformed() -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    body = json.dumps({"choices": [{"message": {"tool_calls": [call]}}]}).encode()
    with pytest.raises(Unusable):
        read_answer(body, expected_function=None)


@pytest.mark.parametrize(
    ("usage", "tokens"),
    [
        ({"prompt_tokens": 7, "completion_tokens": 3}, (7, 3)),
        ({"prompt_tokens": -7, "completion_tokens": 10**30}, (0, MAX_TOKENS)),
        ({"prompt_tokens": None, "completion_tokens": "3"}, (0, 0)),
        ({"prompt_tokens": True, "completion_tokens": 2.5}, (0, 0)),
        # Thinking that a provider leaves out of completion_tokens is in its total.
        ({"prompt_tokens": 37, "completion_tokens": 530, "total_tokens": 800}, (37, 763)),
        ({"prompt_tokens": 37, "completion_tokens": 5, "total_tokens": 42}, (37, 5)),
        ({"completion_tokens": 5, "total_tokens": 42}, (0, 5)),
        ({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": "x"}, (9, 3)),
        ("many", (0, 0)),
        (None, (0, 0)),
    ],
)
def test_l17_what_is_said_of_tokens_is_a_count_or_nothing(
    usage: object, tokens: tuple[int, int]
) -> None:
    choice = {"message": {"content": "{}"}, "finish_reason": "stop"}
    body = json.dumps({"choices": [choice], "usage": usage}).encode()
    answer = read_answer(body, expected_function=None)
    assert (answer.tokens_in, answer.tokens_out) == tokens


def test_names_that_a_provider_gives_hold_no_control_character() -> None:
    choice = {"message": {"content": "{}"}, "finish_reason": "st\x1b[2Jop\n"}
    body = json.dumps({"choices": [choice], "model": "m\r\n\x1b[31m" + "x" * 500, "id": 5})
    answer = read_answer(body.encode(), expected_function=None)
    assert answer.model.startswith("m[31mxxx")
    assert len(answer.model) == 200
    assert answer.finish_reason == "st[2Jop"
    assert answer.completion == ""


@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": "Upstream is overloaded", "code": 529}},
        {"error": "Upstream is overloaded", "choices": None},
        {
            "choices": [
                {"message": {"content": "{"}, "error": {"message": "Upstream is overloaded"}}
            ]
        },
    ],
)
def test_l02_an_error_told_with_status_200_is_the_providers_fault_and_said(body: object) -> None:
    with pytest.raises(Unusable) as error:
        read_answer(json.dumps(body).encode(), expected_function=None)
    assert error.value.reason is Reason.ADVICE_FAILED
    assert error.value.its_fault, "the next provider is asked"
    assert error.value.detail.endswith("Upstream is overloaded")


@pytest.mark.parametrize("choices", [[], [{"message": {"content": "{"}, "finish_reason": "error"}]])
def test_l02_no_answer_in_a_completion_is_the_providers_fault_and_is_paid(choices: object) -> None:
    usage = {"prompt_tokens": 9, "completion_tokens": 2}
    with pytest.raises(Unusable) as error:
        read_answer(
            json.dumps({"choices": choices, "usage": usage}).encode(), expected_function="f"
        )
    assert error.value.its_fault
    assert error.value.used is not None
    assert error.value.used.tokens_in == 9


def test_l03_an_answer_in_parts_is_its_text_without_the_thoughts() -> None:
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]},
        {"type": "text", "text": '{"decisions"'},
        {"type": "text", "text": ": []}"},
    ]
    body = json.dumps({"choices": [{"message": {"content": parts}, "finish_reason": "stop"}]})
    assert read_answer(body.encode(), expected_function=None).raw == '{"decisions": []}'


@pytest.mark.parametrize(
    ("content", "reads"),
    [("The trend is up, so I buy.", True), ("", True), ('{"decisions": []}', False)],
)
def test_l03_an_object_beside_a_call_is_two_objects(content: str, reads: bool) -> None:
    call = {"function": {"name": "f", "arguments": "{}"}}
    body = json.dumps({"choices": [{"message": {"content": content, "tool_calls": [call]}}]})
    if reads:
        assert read_answer(body.encode(), expected_function="f").kind == "tool_call"
        return
    with pytest.raises(Unusable) as error:
        read_answer(body.encode(), expected_function="f")
    assert error.value.reason is Reason.ADVICE_MALFORMED
