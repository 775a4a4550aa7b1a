"""The switches for open questions: read by name, refused in one sentence."""

import msgspec
import pytest

from simple_trader.sandbox.rules import SurfaceRules, read_rules
from simple_trader.sandbox.settings import SandboxError
from simple_trader.simulator.rules import VenueRules


def test_switches_of_both_layers_are_read_by_name() -> None:
    surface, venue = read_rules(("duplicate=ack", "post_only = cancel", "lockout_s=5"))
    assert surface == SurfaceRules(duplicate="ack", lockout_s=5)
    assert venue == VenueRules(post_only="cancel")
    assert read_rules(()) == (SurfaceRules(), VenueRules())


def test_no_switch_has_two_meanings() -> None:
    names = [f.name for kind in (SurfaceRules, VenueRules) for f in msgspec.structs.fields(kind)]
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("duplicate", "is not name=value of one of"),
        ("colour=red", "is not name=value of one of"),
        ("duplicate=maybe", "has no usable value"),
        ("lockout_s=soon", "has no usable value"),
        ("lockout_s=-1", "must be 0 or more"),
    ],
)
def test_a_wrong_switch_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence) as refused:
        read_rules((text,))
    assert "\n" not in str(refused.value)
