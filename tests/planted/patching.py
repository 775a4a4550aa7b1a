"""How a bug is planted: a name of the daemon is replaced wherever it is used, and put back."""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

Make = Callable[[Any], Any]


@contextmanager
def replaced(place: str, make: Make) -> Iterator[None]:
    """Replace `package.module:name` (or `:Class.name`) by what `make` makes of it.

    A function or constant that other modules imported by name is replaced there too. Raises
    AttributeError for a place that is not there any more: such a bug must be planted anew.
    """
    module_name, _, path = place.partition(":")
    owner: Any = importlib.import_module(module_name)
    *parents, name = path.split(".")
    for parent in parents:
        owner = getattr(owner, parent)
    old = owner.__dict__[name] if name in vars(owner) else getattr(owner, name)
    new = make(old)
    holders = [(owner, name)] if parents else _holders(old, owner, name)
    for holder, known_as in holders:
        setattr(holder, known_as, new)
    try:
        yield
    finally:
        for holder, known_as in holders:
            setattr(holder, known_as, old)


def _holders(old: object, owner: object, name: str) -> list[tuple[Any, str]]:
    """Every module of the daemon that holds this very object, under whatever name."""
    if isinstance(old, bool | int | float | str) or old is None:
        return [(owner, name)]  # equal constants need not be the same one
    others = [
        (module, known_as)
        for module_name, module in list(sys.modules.items())
        if module_name.startswith("simple_trader") and module is not owner
        for known_as, value in list(vars(module).items())
        if value is old
    ]
    return [(owner, name), *others]


@dataclass(frozen=True)
class Bug:
    """One planted bug: what it does wrong, where, and the ids that may be named for it.

    What brings it to light is `plan`, faults at chosen moments (seconds); many need none. `world`
    changes the daemon for the bug and for its clean run.
    """

    name: str
    what: str
    places: tuple[tuple[str, Make], ...]
    ids: tuple[str, ...]
    plan: tuple[tuple[float, str], ...] = ()
    world: tuple[tuple[str, Make], ...] = ()

    @contextmanager
    def planted(self) -> Iterator[None]:
        """The daemon with this bug in it."""
        with self.without(), _all(self.places):
            yield

    @contextmanager
    def without(self) -> Iterator[None]:
        """The daemon without the bug, in the world that it needs."""
        with _all(self.world):
            yield


@contextmanager
def _all(places: tuple[tuple[str, Make], ...]) -> Iterator[None]:
    with ExitStack() as stack:
        for place, make in places:
            stack.enter_context(replaced(place, make))
        yield


def always(value: Any) -> Make:
    """A constant instead of a constant."""
    return lambda old: value


def gives(value: Any) -> Make:
    """A function that gives always the same."""
    return lambda old: lambda *args, **kwargs: value


def _tight(settings_of: Any) -> Any:
    """A world whose caps are below the size of an order."""

    def bug(scenario: Any) -> Any:
        import msgspec

        return msgspec.structs.replace(
            settings_of(scenario),
            max_asset_exposure=Decimal("0.05"),
            max_total_exposure=Decimal("0.08"),
        )

    return bug


TIGHT = (("dst.lives:settings_of", _tight),)


def without_check(name: str) -> tuple[str, Make]:
    """The list of pre-trade checks without one of them."""
    return (
        "simple_trader.core.risk.checks:CHECKS",
        lambda checks: tuple(check for check in checks if check.__name__ != name),
    )
