"""The examinations of `doctor` about advice: who would be asked, and (`--llm`) how they answer."""

from collections.abc import Iterator

from simple_trader.cli.findings import Finding, fail, ok, warn
from simple_trader.config.env import Environment
from simple_trader.config.loader import Config, uses_stand_in
from simple_trader.domain.errors import TraderError


def name_providers(config: Config, environment: Environment) -> Iterator[Finding]:
    """Who would be asked, and what is missing for that; nobody is asked."""
    settings, secrets = config.settings, environment.secrets
    if not settings.providers:
        yield _flat(config, environment)
    for one in settings.providers:
        subject = f"advisor {one.name}"
        if one.key_variable and not secrets.provider_key(one.key_variable):
            yield fail(subject, f"{one.key_variable} is not set", "put it into .env")
        elif one.price_in is None or one.price_out is None:
            yield warn(
                subject,
                f"{one.model} has no prices: the budgets of money do not hold it",
                f"set price_in and price_out of it in {config.path}",
            )
        else:
            yield ok(subject, f"{one.model} at {one.base_url}")


def _flat(config: Config, environment: Environment) -> Finding:
    try:
        stand_in = uses_stand_in(config.settings, environment.secrets)
    except TraderError as error:
        return fail("advisor", str(error), "put OPENAI_API_KEY into .env or set openai_base_url")
    if stand_in:
        return ok("advisor", "the sandbox's stand-in advisor, not an LLM")
    settings = config.settings
    if not environment.secrets.openai_api_key and not settings.openai_base_url:
        return fail("advisor", "OPENAI_API_KEY is not set", "put it into .env")
    if not environment.secrets.openai_api_key:
        return warn(
            "advisor",
            f"{settings.openai_base_url} is asked without a key",
            "put OPENAI_API_KEY into .env if that provider wants one",
        )
    return ok("advisor", f"{settings.openai_model} at {settings.openai_base_url or 'OpenAI'}")


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
