"""Options of `sandbox` that say how the exchange looks to its clients."""

from pathlib import Path
from typing import Annotated

import typer

PortOption = Annotated[
    int,
    typer.Option(
        "--port", metavar="PORT", min=0, max=65_535, help="Port on 127.0.0.1; 0: any free one."
    ),
]
StateOption = Annotated[
    Path | None,
    typer.Option("--state", metavar="DIR", help="Keep (or serve) the exchange's journal here."),
]
AccountsOption = Annotated[
    Path | None,
    typer.Option(
        "--accounts", metavar="FILE", help="Accounts and API keys (YAML); else one of each."
    ),
]
RulesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--rule",
        metavar="NAME=VALUE",
        help="Read an open question of Kraken's protocol otherwise; docs/SANDBOX.md lists them.",
    ),
]
CountersOption = Annotated[
    bool,
    typer.Option("--counters/--no-counters", help="Let Kraken's rate counters limit accounts."),
]
RestLagOption = Annotated[
    float,
    typer.Option(
        "--rest-lag", metavar="SECONDS", min=0.0, help="How far private REST is behind WebSocket."
    ),
]
MixedRepliesOption = Annotated[
    bool,
    typer.Option("--mixed-replies", help="Some order responses come after their events."),
]
RelayOption = Annotated[
    bool,
    typer.Option(
        "--relay", help="Relay Kraken's live public feed; orders and fills stay here (paper)."
    ),
]
RelayRestOption = Annotated[str | None, typer.Option("--relay-rest", metavar="URL", hidden=True)]
RelayPublicOption = Annotated[
    str | None, typer.Option("--relay-public", metavar="URL", hidden=True)
]
