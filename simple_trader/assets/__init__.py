"""Finds the files that ship with the code: templates, tool schemas, migrations, config.yaml."""

from pathlib import Path

_INSIDE_THE_WHEEL = Path(__file__).resolve().parent
_CHECKOUT = _INSIDE_THE_WHEEL.parent.parent


def asset_path(name: str) -> Path:
    """Where `name` (as `migrations` or `templates/prompts`) is, in a wheel or in a checkout.

    Raises FileNotFoundError with a sentence for people when neither has it.
    """
    for base in (_INSIDE_THE_WHEEL, _CHECKOUT):
        path = base / name
        if path.exists():
            return path
    raise FileNotFoundError(
        f"{name} is missing beside the program ({_CHECKOUT}): "
        "restore it from the repository or install again."
    )
