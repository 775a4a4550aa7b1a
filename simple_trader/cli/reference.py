"""Makes the pages of docs/reference from the code: settings, reasons, commands, features."""

import inspect
import math
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import typer

from simple_trader.config.env import PLACES, names
from simple_trader.config.fields import Section
from simple_trader.config.schema import Settings, walk
from simple_trader.core.strategy.features import GROUPS, SPECS
from simple_trader.domain import errors
from simple_trader.domain.order_states import CHANGES, MEANING
from simple_trader.domain.reasons import TEXT

_MADE = "<!-- Made by `make docs` from the code; do not edit. -->\n\n"


def pages() -> dict[str, str]:
    """Every page by its file name."""
    # Only here: no command pays for SQLAlchemy.
    from simple_trader.adapters.store.schema_doc import render_schema

    return {
        "config.md": config_page(),
        "reasons.md": reasons_page(),
        "exit-codes.md": exit_codes_page(),
        "order-states.md": order_states_page(),
        "cli.md": cli_page(),
        "features.md": features_page(),
        "schema.md": render_schema(),
    }


# ------------------------------------------------------------------------------ features


def features_page() -> str:
    """Every feature of a pair: how it is made, when it is known, what of TA-Lib equals it."""
    parts = [
        "# Features\n\n" + _MADE + f"The {len(SPECS)} figures of a pair that a decision is made "
        "on, kept by name in `ai_snapshots`. Spans are counted in finished candles (of a minute); "
        "the running candle is never among them. What is not known yet or has no meaning is null, "
        "never 0: an RSI of a price that did not move, an average swing of nothing, a VWAP "
        "without a trade. After six hours or 30 candles of silence a series begins anew.\n\n"
        "Each known value has the moment of the newest event behind it: of an indicator the end "
        "of its newest candle, of the rest when ticker or book was seen. None may be after the "
        "snapshot's `as_of`.\n\n"
        "Units: price in the pair's quote currency, base in its base currency, pct percent, bps "
        "hundredths of a percent, share 0 at the lower and 1 at the upper end, sd standard "
        "deviations. Equal to TA-Lib means to nine digits, on the same candles.\n"
    ]
    for title, specs in GROUPS.items():
        parts.append(f"\n## {title}\n\n| name | unit | made of | known after | in TA-Lib |\n")
        parts.append("|---|---|---|---|---|\n")
        for spec in specs:
            formula = spec.formula.replace("|", "\\|")
            needed = [
                *([f"{spec.candles} candle" + "s" * (spec.candles > 1)] if spec.candles else []),
                *([f"{spec.seconds} s of a trusted book"] if spec.seconds else []),
            ]
            when = needed[0] if needed else "its first message"
            same = f"`{spec.talib}`" if spec.talib else ""
            parts.append(f"| `{spec.name}` | {spec.unit} | {formula} | {when} | {same} |\n")
    return "".join(parts)


# -------------------------------------------------------------------------------- config


def config_page() -> str:
    """Every key of config.yaml with type, default, range and meaning."""
    rows: list[str] = []

    def visit(name: str, info: Any) -> None:
        extra = info.json_schema_extra or {}
        marks = [
            text
            for mark, text in (
                ("limit", "**Limit**: a rise waits for `limits accept`."),
                ("at_start", "Read at the start only."),
            )
            if extra.get(mark)
        ]
        meaning = " ".join([info.description or "", *marks])
        rows.append(
            f"| `{name}` | {_kind(info)} | `{_default(info)}` | {_range(info)} | {meaning} |"
        )

    walk(visit)
    variables = "".join(f"- `{name}`{_place(name)}\n" for name in names())
    return (
        "# config.yaml\n\n" + _MADE + "Every key may be left out; then its default holds. "
        "A save takes effect at the next decision cycle, except where noted. An invalid or "
        "half-written file changes nothing, and the log says why.\n\n"
        "| key | type | default | range and unit | meaning |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n\n## Variables of .env and the environment\n\n"
        "Read once, at the start; the environment goes before the file.\n\n" + variables
    )


def _place(name: str) -> str:
    return " (a place, no secret)" if name in PLACES else " (secret)"


def _kind(info: Any) -> str:
    kind = info.annotation
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f"`{value}`" for value in get_args(kind))
    words = {bool: "true/false", int: "whole number", float: "number", str: "text"}
    if kind in words:
        return words[kind]
    if get_origin(kind) is dict:
        return "mapping"
    return "list" if get_origin(kind) is tuple else "exact number"


def _default(info: Any) -> str:
    value = info.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "[]"
    if isinstance(value, float):
        return f"{value:g}"
    return '""' if value == "" else str(value)


def _range(info: Any) -> str:
    parts = []
    for rule in info.metadata:
        for name, words in (("gt", "above"), ("ge", "from"), ("lt", "below"), ("le", "to")):
            bound = getattr(rule, name, None)
            if bound is not None and bound != math.inf:
                parts.append(f"{words} {bound}")
    unit = (info.json_schema_extra or {}).get("unit", "")
    return "; ".join(part for part in (" ".join(parts), unit) if part)


def sections() -> Iterator[str]:
    """Names of the keys that hold keys of their own."""
    for name, info in Settings.model_fields.items():
        if isinstance(info.annotation, type) and issubclass(info.annotation, Section):
            yield name


# ------------------------------------------------------------------------ reasons, errors


def reasons_page() -> str:
    """Every Reason with its text."""
    rows = "\n".join(f"| `{reason.value}` | {text} |" for reason, text in TEXT.items())
    return (
        "# Reasons\n\n" + _MADE + "Every trade, skip and refusal carries exactly one of these "
        "(`ai_decisions.reason`, `pending_trades.reason` and `state_reason`, "
        "`risk_states.reasons`).\n\n| reason | meaning |\n|---|---|\n" + rows + "\n"
    )


def order_states_page() -> str:
    """Every state of an order and what it may become."""
    states = "\n".join(f"| `{state.value}` | {text} |" for state, text in MEANING.items())
    rows = "\n".join(
        f"| `{row.old.value}` | `{row.new.value}` | {row.meaning} | {row.ugly} |" for row in CHANGES
    )
    return (
        "# Order states\n\n" + _MADE + "`pending_trades.state`. Completion is decided by quantity. "
        "What stands not here is not done: HALT, refused by the database. The last column names "
        "the fault or invariant behind what looks wrong and happens.\n\n"
        "| state | meaning |\n|---|---|\n" + states + "\n\n"
        "| from | to | what happened | real |\n|---|---|---|---|\n" + rows + "\n"
    )


def exit_codes_page() -> str:
    """Exit codes from domain/errors.py, and those that are not errors of ours."""
    found: dict[int, list[str]] = {}
    for name, kind in inspect.getmembers(errors, inspect.isclass):
        if issubclass(kind, errors.TraderError):
            meaning = (kind.__doc__ or "").strip()
            found.setdefault(kind.exit_code, []).append(f"`{name}`: {meaning}")
    found.setdefault(0, []).append("The command did its work; the daemon stopped as asked.")
    found.setdefault(1, []).append("`doctor` found something that fails.")
    found.setdefault(2, []).append("A flag or argument is wrong (the usage is shown).")
    found.setdefault(10, []).append("A step of `sim` did not drain; the sentence says why.")
    found.setdefault(130, []).append("Ctrl-C ended a command (the daemon itself ends with 0).")
    rows = "\n".join(f"| {code} | {'<br>'.join(found[code])} |" for code in sorted(found))
    return (
        "# Exit codes\n\n" + _MADE + "An error comes as one sentence on standard error.\n\n"
        "| code | meaning |\n|---|---|\n" + rows + "\n\n`db psql` gives psql's own code.\n"
    )


# -------------------------------------------------------------------------------- commands


def cli_page() -> str:
    """Every command with its options."""
    from simple_trader.cli import app

    root = typer.main.get_command(app)
    text = "# Commands\n\n" + _MADE
    text += "`python -m simple_trader COMMAND`, or `simple-trader COMMAND` when installed; in a "
    text += 'checkout `make cli ARGS="COMMAND ..."`. Durations: `90`, `60s`, `5m`, `2h`.\n'
    return text + "".join(_command(command, path) for path, command in _leaves(root, ""))


def _leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    below = getattr(command, "commands", None)
    if below is None:
        yield path, command
        return
    for name, inner in below.items():
        yield from _leaves(inner, f"{path} {name}".strip())


def _command(command: Any, path: str) -> str:
    arguments, rows = [], []
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            arguments.append(parameter.metavar or f"[{parameter.name.upper()}]")
            continue
        names = ", ".join(f"`{name}`" for name in parameter.opts)
        shown = (
            ""
            if parameter.is_flag
            else f" `{(parameter.metavar or 'VALUE').replace('|', chr(92) + '|')}`"
        )
        rows.append(f"| {names}{shown} | {parameter.help or ''} |")
    usage = " ".join([path, "[OPTIONS]", *arguments])
    help_text = inspect.cleandoc(command.help or "")
    table = "\n| option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"
    return f"\n## {path}\n\n`simple-trader {usage}`\n\n{help_text}\n{table}"
