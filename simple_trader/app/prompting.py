"""The prompt that would be sent: now by a running daemon, or again from what is stored."""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from simple_trader.adapters.llm.assets import LlmAssets
from simple_trader.adapters.llm.plan import LlmPlan
from simple_trader.adapters.llm.prompts import PromptError, render
from simple_trader.app.advice import assets_of
from simple_trader.config.loader import Config
from simple_trader.core.engine import Engine
from simple_trader.core.reactions.previewing import question_now
from simple_trader.core.strategy.aggregator import question_about
from simple_trader.domain.actions import AskAdvice, Question
from simple_trader.domain.errors import TraderError
from simple_trader.domain.moments import to_rfc3339
from simple_trader.domain.records import SnapshotRow


class PromptShown(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt and where it stands, or in `trouble` why there is none; hashes as in llm_calls."""

    prompt: str = ""
    prompt_hash: str = ""
    template_hash: str = ""
    cycle_id: str = ""
    as_of: str = ""
    note: str = ""
    trouble: str = ""


class Voice(msgspec.Struct, frozen=True):
    """How a version of the configuration asks: its texts, and whether for a call of the tool."""

    assets: LlmAssets
    is_function_calling: bool


def desk_answer(
    engine: Engine, now: Callable[[], datetime], voice: Callable[[str], Voice]
) -> Callable[[str], bytes]:
    """What the prompt desk answers for a pair; `voice` is that of a version, by its hash."""

    def answer(pair: str) -> bytes:
        try:
            shown = _now(engine, now(), voice, pair)
        except TraderError as error:
            shown = PromptShown(trouble=str(error))
        return msgspec.json.encode(shown)

    return answer


def _now(engine: Engine, at: datetime, voice: Callable[[str], Voice], pair: str) -> PromptShown:
    preview = question_now(Engine.restore(engine.snapshot()).state, at)
    if preview.ask is None:
        return PromptShown(trouble=preview.note)
    return _shown(preview.ask, voice(preview.ask.question.config_hash), pair, preview.note)


def voice_of(plan: LlmPlan) -> Voice:
    """How the first provider of a plan is asked."""
    return Voice(plan.assets, plan.providers[0].answers == "tools")


def voice_of_file(config: Config) -> Voice:
    """How the first provider of a configuration would be asked, without its key."""
    settings = config.settings
    by_tool = settings.is_function_calling_model
    if settings.providers:
        traded = next(one for one in settings.providers if not one.shadow_only)
        by_tool = traded.answers == "tools"
    return Voice(assets_of(config), by_tool)


def stored_prompt(rows: Sequence[SnapshotRow], voice: Voice, pair: str = "") -> PromptShown:
    """The prompt of the stored snapshots of one cycle (at least one); raises TraderError.

    With the texts of the version that asked it is the prompt that was sent, byte for byte (I-43).
    """
    first = rows[0]
    question = Question(
        question_id="",
        kind="advice",
        subject="cycle",
        asked_at=first.as_of,
        deadline_s=0.0,
        config_hash=first.config_hash,
    )
    return _shown(question_about(question, rows), voice, pair, "")


def _shown(ask: AskAdvice, voice: Voice, pair: str, note: str) -> PromptShown:
    """Render, of one pair alone where one is named."""
    if pair:
        briefs = tuple(brief for brief in ask.briefs if brief.pair == pair)
        if not briefs:
            known = ", ".join(brief.pair for brief in ask.briefs)
            raise TraderError(f"{pair} would not be asked about now; these would: {known}.")
        ask = msgspec.structs.replace(ask, briefs=briefs)
    try:
        prompt = render(voice.assets, ask, is_function_calling=voice.is_function_calling)
    except PromptError as error:
        raise TraderError(f"the prompt cannot be made: {error}.") from error
    return PromptShown(
        prompt=prompt.text,
        prompt_hash=prompt.prompt_hash,
        template_hash=prompt.template_hash,
        cycle_id=ask.cycle_id,
        as_of=to_rfc3339(ask.as_of, digits=0),
        note=note,
    )
