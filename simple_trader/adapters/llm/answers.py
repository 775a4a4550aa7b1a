"""Reads a chat completion far enough to hand its raw answer on; judging it is the brain's work."""

import msgspec

from simple_trader.domain.reasons import Reason

MAX_TOKENS = 2_000_000_000  # what is claimed beyond it is no count


class Used(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says of its answer: its own name of the model, and the tokens."""

    model: str = ""
    tokens_in: int = 0
    tokens_out: int = 0
    completion: str = ""  # id and moment of making, empty where it names none


class Unusable(Exception):
    """There is no answer in it: the reason and a sentence.

    `used` is None where what came is no chat completion at all: then another provider may be tried.
    """

    def __init__(self, reason: Reason, detail: str, used: Used | None = None) -> None:
        """Keep all three."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.used = used


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The raw answer: tool arguments (`kind` tool_call) or text (`kind` content), as received."""

    raw: str
    kind: str
    finish_reason: str
    model: str
    tokens_in: int
    tokens_out: int
    completion: str = ""


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
    id: str = ""
    created: int | float | None = None
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
    used = _used(completion)
    if len(completion.choices) != 1:
        count = len(completion.choices)
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the reply has {count} choices, one was asked", used
        )
    choice = completion.choices[0]
    message = choice.message
    finish = choice.finish_reason or ""
    refused = Reason.ADVICE_REFUSED_BY_MODEL
    if message.refusal:
        raise Unusable(refused, f"the model refused: {message.refusal}", used)
    if finish == "content_filter":
        raise Unusable(refused, "the provider's filter stopped the answer", used)
    raw, kind = _raw_of(message, expected_function, used)
    return Answer(
        raw=raw,
        kind=kind,
        finish_reason=finish,
        model=used.model,
        tokens_in=used.tokens_in,
        tokens_out=used.tokens_out,
        completion=used.completion,
    )


def _used(completion: _Completion) -> Used:
    usage = completion.usage or _Usage()
    named = completion.id and completion.created
    return Used(
        model=completion.model[:200],
        tokens_in=min(max(usage.prompt_tokens, 0), MAX_TOKENS),
        tokens_out=min(max(usage.completion_tokens, 0), MAX_TOKENS),
        completion=f"{completion.id} {completion.created}" if named else "",
    )


def _raw_of(message: _Message, expected_function: str | None, used: Used) -> tuple[str, str]:
    calls = message.tool_calls or []
    if not calls:
        return message.content or "", "content"
    if len(calls) > 1:
        raise Unusable(Reason.ADVICE_MALFORMED, f"the model made {len(calls)} calls, not one", used)
    function = calls[0].function
    if function is None or function.name != expected_function:
        name = "" if function is None else function.name
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the model called {name!r}, which it was not offered", used
        )
    return function.arguments, "tool_call"
