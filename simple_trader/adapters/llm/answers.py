"""Reads a chat completion far enough to hand its raw answer on; judging it is the brain's work."""

import msgspec

from simple_trader.domain.reasons import Reason


class Unusable(Exception):
    """There is no answer in it: the reason and a sentence."""

    def __init__(self, reason: Reason, detail: str) -> None:
        """Keep both."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The raw answer: tool arguments (`kind` tool_call) or text (`kind` content), as received."""

    raw: str
    kind: str
    finish_reason: str
    model: str
    tokens_in: int
    tokens_out: int


class _Function(msgspec.Struct):
    name: str = ""
    arguments: str = ""


class _ToolCall(msgspec.Struct):
    function: _Function | None = None


class _Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct):
    choices: list[_Choice]
    model: str = ""
    usage: _Usage | None = None


_DECODER = msgspec.json.Decoder(_Completion)


def read_answer(body: bytes, *, expected_function: str | None) -> Answer:
    """The answer in `body`; raises Unusable.

    `expected_function` is the one tool that was offered, None where none was. A model that was
    offered the tool and wrote text instead is passed on as content.
    """
    try:
        completion = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the reply is no chat completion: {error}"
        ) from error
    if len(completion.choices) != 1:
        count = len(completion.choices)
        raise Unusable(Reason.ADVICE_MALFORMED, f"the reply has {count} choices, one was asked")
    choice = completion.choices[0]
    message = choice.message
    finish = choice.finish_reason or ""
    if message.refusal:
        raise Unusable(Reason.ADVICE_REFUSED_BY_MODEL, f"the model refused: {message.refusal}")
    if finish == "content_filter":
        raise Unusable(Reason.ADVICE_REFUSED_BY_MODEL, "the provider's filter stopped the answer")
    raw, kind = _raw_of(message, expected_function)
    usage = completion.usage or _Usage()
    return Answer(
        raw=raw,
        kind=kind,
        finish_reason=finish,
        model=completion.model,
        tokens_in=max(usage.prompt_tokens, 0),
        tokens_out=max(usage.completion_tokens, 0),
    )


def _raw_of(message: _Message, expected_function: str | None) -> tuple[str, str]:
    calls = message.tool_calls or []
    if not calls:
        return message.content or "", "content"
    if len(calls) > 1:
        raise Unusable(Reason.ADVICE_MALFORMED, f"the model made {len(calls)} calls, not one")
    function = calls[0].function
    if function is None or function.name != expected_function:
        name = "" if function is None else function.name
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the model called {name!r}, which it was not offered"
        )
    return function.arguments, "tool_call"
