"""The examination of `doctor --llm`: one tiny question to each provider that config.yaml names."""

from collections.abc import Iterator

from simple_trader.cli.findings import Finding, fail, ok, warn
from simple_trader.config.env import Environment
from simple_trader.config.loader import Config, uses_stand_in
from simple_trader.domain.errors import TraderError


async def examine_llm(config: Config, environment: Environment) -> list[Finding]:
    """Status, latency and cost of each; what a running daemon spends is not touched by it."""
    from simple_trader.adapters.llm.probe import probe
    from simple_trader.app.advice import plan_of

    try:
        if uses_stand_in(config.settings, environment.secrets):
            return [ok("advisor", "the sandbox's stand-in advisor is no LLM: nobody was asked")]
        everyone = plan_of(config, environment.secrets, None).everyone()
    except TraderError as error:
        return [fail("advisor", str(error), f"correct {config.path}")]
    found: list[Finding] = []
    for settings in everyone:
        probed = await probe(settings, limit_s=settings.timeout_s)
        subject = f"advisor {settings.name}"
        took = f"{probed.latency_ms} ms"
        if probed.error:
            status = f"HTTP {probed.status}" if probed.status else "no answer"
            text = f"{settings.model}: {status} in {took}: {probed.error}"
            found.append(fail(subject, text, _fix(probed.status)))
            continue
        price = "cost not known" if probed.cost_usd is None else f"{probed.cost_usd:.8f} USD"
        text = f"{settings.model}: HTTP {probed.status} in {took}, {probed.tokens} tokens, {price}"
        if probed.model and probed.model != settings.model:
            text += f", answers as {probed.model}"
        found.append(ok(subject, text))
        found.extend(_prices(subject, probed.cost_usd is None))
    return found


def _prices(subject: str, are_missing: bool) -> Iterator[Finding]:
    if are_missing:
        yield warn(
            subject,
            "its prices are not known, so llm_budget.usd_per_hour and usd_per_day do not hold it",
            "name it under providers with price_in and price_out",
        )


def _fix(status: int | None) -> str:
    if status in {401, 403}:
        return "put a valid key into .env under the provider's key_variable"
    if status == 404:
        return "correct base_url or model of this provider in config.yaml"
    if status == 429 or (status or 0) >= 500:
        return "wait, or raise the limits of your account with this provider"
    return "correct base_url, key or host of this provider, or look whether it is up"
