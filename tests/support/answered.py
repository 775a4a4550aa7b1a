"""An advisor's answer as it comes to the brain."""

from typing import Any

from simple_trader.domain.events import AdviceArrived


def arrived(question_id: str, raw: str, **changes: Any) -> AdviceArrived:
    """The text `raw`, said at once by a test's advisor, with changes."""
    values: dict[str, Any] = {
        "prompt": "prompt",
        "prompt_hash": "p",
        "template_hash": "t",
        "kind": "content",
        "finish_reason": "stop",
        "provider": "test",
        "model": "test",
        "advisor_label": "test advisor",
        "tokens_in": 1,
        "tokens_out": 1,
        "latency_ms": 1,
    }
    return AdviceArrived(question_id=question_id, raw=raw, **{**values, **changes})
