"""The stand-in advisor: rule-based answers in the wire format of OpenAI chat completions.

It is no language model and says so in every answer. It reads the fenced JSON block that the last
user message ends with, and nothing else of the prompt. Pure: the same request, the same answer.
"""

import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec

from simple_trader.domain.moments import parse_rfc3339, to_unix
from simple_trader.sandbox.advisor_rules import Block, decide_all

MODEL_NAME = "stand-in-advisor"
LABEL = "stand-in advisor, not an LLM"
MAX_PAIRS = 200
_FENCED = re.compile(r"```json[ \t]*\n(.*?)\n[ \t]*```", re.DOTALL)
_CHARS_PER_TOKEN = 4
_BLOCK = msgspec.json.Decoder(Block)


class AdviceRequestError(Exception):
    """The request is refused: HTTP `status` and an OpenAI error `body`."""

    def __init__(self, message: str, *, param: str | None = None, status: int = 400) -> None:
        """Make the body from a sentence and the name of the parameter at fault."""
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {
                "message": message,
                "type": "invalid_request_error",
                "param": param,
                "code": None,
            }
        }


def advise(request: dict[str, Any]) -> dict[str, Any]:
    """Answer one chat completion request; raises AdviceRequestError."""
    if request.get("stream"):
        raise AdviceRequestError("the stand-in advisor does not stream", param="stream")
    prompt = _last_user_text(request)
    block = _block(prompt)
    decisions = decide_all(block)
    answer = {
        "decisions": decisions,
        "rationale": f"{LABEL}: a fixed score of plain indicators for {len(decisions)} pairs.",
        "confidence": max((item["confidence"] for item in decisions), default=0.5),
    }
    text = msgspec.json.encode(answer).decode()
    function = _called_function(request)
    return _completion(request, block, prompt, text, function)


def models() -> dict[str, Any]:
    """The answer to GET /v1/models."""
    one = {"id": MODEL_NAME, "object": "model", "created": 0, "owned_by": "simple-trader sandbox"}
    return {"object": "list", "data": [one]}


def _last_user_text(request: dict[str, Any]) -> str:
    messages = request.get("messages")
    if not isinstance(messages, list) or not messages:
        raise AdviceRequestError("messages must be a list with one message", param="messages")
    for message in reversed(messages):
        if isinstance(message, dict) and message.get("role") == "user":
            return _text_of(message.get("content"))
    raise AdviceRequestError("there is no message of the user", param="messages")


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "\n".join(text for text in texts if isinstance(text, str))
    raise AdviceRequestError("the content of a message must be text", param="messages")


def _block(prompt: str) -> Block:
    fenced = _FENCED.findall(prompt)
    if not fenced:
        raise AdviceRequestError(
            "the last user message must end with a fenced ```json block", param="messages"
        )
    try:
        block = _BLOCK.decode(fenced[-1])
    except (msgspec.DecodeError, UnicodeError) as error:
        raise AdviceRequestError(
            f"the fenced block cannot be read: {error}", param="messages"
        ) from error
    if len(block.pairs) > MAX_PAIRS:
        raise AdviceRequestError(
            f"the fenced block names {len(block.pairs)} pairs, at most {MAX_PAIRS} are read",
            param="messages",
        )
    return block


def _called_function(request: dict[str, Any]) -> str | None:
    """The name of the function to call, or None for an answer in text."""
    tools, choice = request.get("tools"), request.get("tool_choice")
    if not tools or choice == "none":
        return None
    if not isinstance(tools, list):
        raise AdviceRequestError("tools must be a list", param="tools")
    functions = [tool.get("function") for tool in tools if isinstance(tool, dict)]
    names = [item.get("name") for item in functions if isinstance(item, dict)]
    wanted: Any = names[0] if names else None
    if isinstance(choice, dict):
        function = choice.get("function")
        wanted = function.get("name") if isinstance(function, dict) else None
    if not isinstance(wanted, str) or wanted not in names:
        raise AdviceRequestError("tool_choice names no function of tools", param="tool_choice")
    return wanted


def _completion(
    request: dict[str, Any], block: Block, prompt: str, text: str, function: str | None
) -> dict[str, Any]:
    digest = hashlib.sha256((prompt + "\x00" + text).encode()).hexdigest()
    message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
    if function is not None:
        call = {
            "id": f"call_{digest[:24]}",
            "type": "function",
            "function": {"name": function, "arguments": text},
        }
        message |= {"content": None, "tool_calls": [call]}
    tokens_in, tokens_out = (len(part) // _CHARS_PER_TOKEN + 1 for part in (prompt, text))
    return {
        "id": f"chatcmpl-{digest[:24]}",
        "object": "chat.completion",
        "created": _created(block),
        "model": MODEL_NAME,
        "choices": [
            {
                "index": 0,
                "message": message,
                "logprobs": None,
                # OpenAI says "stop" when a function was forced and "tool_calls" when it was free.
                "finish_reason": "stop"
                if function is None or isinstance(request.get("tool_choice"), dict)
                else "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": tokens_in,
            "completion_tokens": tokens_out,
            "total_tokens": tokens_in + tokens_out,
        },
    }


def _created(block: Block) -> int:
    """The market time of the question in Unix seconds; 0 where the block has none."""
    try:
        moment: datetime = parse_rfc3339(block.as_of)
    except ValueError:
        return 0
    return int(to_unix(moment))
