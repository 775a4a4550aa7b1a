"""Options of `run` and `sandbox` that break the sandbox on purpose, as the commands spell them."""

from pathlib import Path
from typing import Annotated

import typer

FaultOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fault",
        metavar='"ID NAME=VALUE ..."',
        help="Let the sandbox make this fault, such as 'N02 after=100'; may be repeated.",
    ),
]
FaultFileOption = Annotated[
    Path | None,
    typer.Option("--faults", metavar="FILE", help="Let it make the faults of this YAML file."),
]
ChaosOption = Annotated[
    str | None,
    typer.Option(
        "--chaos", metavar="SEED,RATE", help="Draw faults by a seed, RATE a minute on average."
    ),
]
RecordOption = Annotated[
    Path | None,
    typer.Option("--record", metavar="FILE", help="Append every byte of its wire to this file."),
]
TlsOption = Annotated[
    bool,
    typer.Option(
        "--tls-self-signed", help="Serve TLS with a certificate of its own that nobody trusts."
    ),
]
CrashOption = Annotated[str | None, typer.Option("--crash-at", metavar="NAME:COUNT", hidden=True)]
