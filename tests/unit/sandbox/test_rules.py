"""The switches for open questions: read by name, refused in one sentence."""

import re

import msgspec
import pytest
import sandbox_parts as parts

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


def test_every_switch_stands_in_the_table_of_the_handbook() -> None:
    handbook = (parts.ROOT / "docs" / "SANDBOX.md").read_text()
    table = handbook.partition("## Open questions of the protocol")[2].partition("## Where")[0]
    named = set(re.findall(r"`([a-z_]+)`", table))
    names = {f.name for kind in (SurfaceRules, VenueRules) for f in msgspec.structs.fields(kind)}
    assert names <= named, f"docs/SANDBOX.md lacks {sorted(names - named)}"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("duplicate", "is not name=value of one of"),
        ("colour=red", "is not name=value of one of"),
        ("duplicate=maybe", "has no usable value"),
        ("lockout_s=soon", "has no usable value"),
        ("lockout_s=-1", "must be 0 or more"),
        ("rate_field=", "must be the name of a field"),
        ("rate_field=a b", "must be the name of a field"),
    ],
)
def test_a_wrong_switch_is_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(SandboxError, match=sentence) as refused:
        read_rules((text,))
    assert "\n" not in str(refused.value)
