"""Reads a chat completion far enough to hand its raw answer on; judging it is the brain's work."""

from typing import Any

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
    """There is no answer in it: the reason, a sentence, and what was used where that is told.

    `its_fault`: the provider failed, rather than that its model said nothing usable. Then another
    provider may be tried.
    """

    def __init__(
        self, reason: Reason, detail: str, used: Used | None = None, *, its_fault: bool = False
    ) -> None:
        """Keep all four; without `used` nothing in it was a chat completion: its fault."""
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.used = used
        self.its_fault = its_fault or used is None


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


class _Part(msgspec.Struct):
    type: str = ""
    text: str | None = None


class _Message(msgspec.Struct):
    content: str | list[_Part] | None = None  # reasoning models send parts: thoughts, then text
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct):
    message: _Message
    finish_reason: str | None = None
    error: Any = None


class _Completion(msgspec.Struct):
    choices: list[_Choice] | None = None
    error: Any = None  # of relays that answer 200 to tell that the model's own provider failed
    # What stands beside the answer is read as far as it makes sense: no answer is lost for it.
    id: Any = None
    created: Any = None
    model: Any = None
    usage: Any = None


_DECODER = msgspec.json.Decoder(_Completion)


def read_answer(body: bytes, *, expected_function: str | None) -> Answer:
    """The answer in `body`; raises Unusable.

    `expected_function` is the one tool that was offered, None where none was. A model that was
    offered the tool and wrote text instead is passed on as content.
    """
    try:
        completion = _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        # RecursionError: brackets in brackets in brackets, anywhere in it.
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the reply is no chat completion: {error}"
        ) from error
    choices = completion.choices or []
    used = None if completion.choices is None else _used(completion)
    broken = completion.error or next((one.error for one in choices if one.error), None)
    if broken:
        detail = f"the reply is an error and no answer: {_told(broken)}"
        raise Unusable(Reason.ADVICE_FAILED, detail, used, its_fault=True)
    if used is None:
        detail = "the reply is no chat completion: it has no choices"
        raise Unusable(Reason.ADVICE_MALFORMED, detail)
    if len(choices) != 1:
        detail = f"the reply has {len(choices)} choices, one was asked"
        raise Unusable(Reason.ADVICE_MALFORMED, detail, used, its_fault=not choices)
    choice = choices[0]
    message = choice.message
    finish = _word(choice.finish_reason or "")
    if finish == "error":
        detail = "the provider broke the answer off with an error"
        raise Unusable(Reason.ADVICE_FAILED, detail, used, its_fault=True)
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
    usage = completion.usage if isinstance(completion.usage, dict) else {}
    tokens_in, total = _count(usage.get("prompt_tokens")), _count(usage.get("total_tokens"))
    named = isinstance(completion.id, str) and isinstance(completion.created, int | float)
    return Used(
        model=_word(completion.model) if isinstance(completion.model, str) else "",
        tokens_in=tokens_in,
        # Some leave the tokens of thinking out of the answer's: they are in the total alone.
        tokens_out=max(_count(usage.get("completion_tokens")), total - (tokens_in or total)),
        completion=f"{completion.id} {completion.created}"[:300] if named else "",
    )


def _count(value: object) -> int:
    """Tokens as a whole number from 0; what is none counts as not told."""
    if isinstance(value, bool) or not isinstance(value, int):
        return 0
    return min(max(value, 0), MAX_TOKENS)


def _told(error: object) -> str:
    """What an error object says: its message, else all of it."""
    said = error.get("message") if isinstance(error, dict) else error
    return _word(said if isinstance(said, str) else str(error))


def _word(text: str) -> str:
    """A name that a provider gives: it is shown to people, so no control character passes."""
    return "".join(char for char in text if char.isprintable())[:200]


def _raw_of(message: _Message, expected_function: str | None, used: Used) -> tuple[str, str]:
    calls = message.tool_calls or []
    content = message.content or ""
    if isinstance(content, list):
        content = "".join(part.text or "" for part in content if part.type == "text")
    if not calls:
        return content, "content"
    if "{" in content:  # words beside a call are usual, a second object is not
        detail = "the model called the tool and wrote an object beside it"
        raise Unusable(Reason.ADVICE_MALFORMED, detail, used)
    if len(calls) > 1:
        raise Unusable(Reason.ADVICE_MALFORMED, f"the model made {len(calls)} calls, not one", used)
    function = calls[0].function
    if function is None or function.name != expected_function:
        name = "" if function is None else function.name
        raise Unusable(
            Reason.ADVICE_MALFORMED, f"the model called {name!r}, which it was not offered", used
        )
    return function.arguments, "tool_call"
