"""Call rows: every attempt at a question to an advisor is remembered, answered or not."""

from datetime import datetime

import msgspec

from simple_trader.domain.actions import Action, Remember
from simple_trader.domain.events import AdviceArrived, AdviceFailed
from simple_trader.domain.marks import MarkSource
from simple_trader.domain.reasons import Reason
from simple_trader.domain.records import LlmCallRow


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Which question the attempts belong to; `call_id` becomes that of the last of them."""

    call_id: str
    cycle_id: str
    asked_at: datetime
    advisor: str = ""


def source_of(event: AdviceArrived | AdviceFailed, advisor: str = "") -> MarkSource:
    """Whose word an answer is, or would have been; `advisor` is the name of a shadow."""
    return MarkSource(
        provider=event.provider,
        model=event.model,
        template_hash=event.template_hash,
        advisor=advisor,
    )


def arrived_rows(
    event: AdviceArrived, asked: Asked, at: datetime, reason: Reason | None = None
) -> list[Action]:
    """The attempts that failed before, then the one that brought the answer.

    `reason` is why the answer as a whole is of no use, if it is not.
    """
    row = msgspec.structs.replace(
        _row(event, asked, at),
        advisor_label=event.advisor_label,
        kind=event.kind,
        finish_reason=event.finish_reason,
        reason=reason,
    )
    return _with_tried(row, event)


def failed_rows(event: AdviceFailed, asked: Asked, at: datetime) -> list[Action]:
    """All attempts of a question that got no answer."""
    row = msgspec.structs.replace(_row(event, asked, at), error=event.detail, reason=event.reason)
    return _with_tried(row, event)


def _row(event: AdviceArrived | AdviceFailed, asked: Asked, at: datetime) -> LlmCallRow:
    """The last attempt, as far as an answer and a failure tell the same of it."""
    return LlmCallRow(
        call_id=asked.call_id,
        cycle_id=asked.cycle_id,
        asked_at=asked.asked_at,
        answered_at=at,
        provider=event.provider,
        model=event.model,
        advisor_label="",
        prompt_hash=event.prompt_hash,
        template_hash=event.template_hash,
        prompt=event.prompt,
        reply=event.raw,
        kind="",
        finish_reason="",
        tokens_in=event.tokens_in,
        tokens_out=event.tokens_out,
        latency_ms=event.latency_ms,
        error="",
        reason=None,
        advisor=asked.advisor,
        attempt=len(event.tried) + 1,
        status=event.status,
        params=event.params,
        cost_usd=event.cost_usd,
        budget_tokens=event.budget_tokens,
        budget_usd=event.budget_usd,
    )


def _with_tried(last: LlmCallRow, event: AdviceArrived | AdviceFailed) -> list[Action]:
    """A row of each earlier attempt, named after the last one, which stands at the end."""
    actions: list[Action] = []
    for number, tried in enumerate(event.tried, 1):
        row = msgspec.structs.replace(
            last,
            call_id=f"{last.call_id}.{number}",
            provider=tried.provider,
            model=tried.model,
            advisor_label="",
            prompt_hash=tried.prompt_hash or last.prompt_hash,
            prompt=tried.prompt or last.prompt,
            reply=tried.raw,
            kind="",
            finish_reason="",
            tokens_in=tried.tokens_in,
            tokens_out=tried.tokens_out,
            latency_ms=tried.latency_ms,
            error=tried.error,
            reason=tried.reason,
            attempt=number,
            status=tried.status,
            params=tried.params,
            cost_usd=tried.cost_usd,
            budget_tokens=tried.budget_tokens,
            budget_usd=tried.budget_usd,
        )
        actions.append(Remember(record=row))
    return [*actions, Remember(record=last)]
