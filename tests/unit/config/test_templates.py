"""Half a template is told from a whole one."""

from pathlib import Path

import pytest

from simple_trader.config.templates import broken_tags

SHIPPED = Path(__file__).resolve().parents[3] / "templates"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("hello {{name", "line 1: the tag is not closed"),
        ("a\n{{{name}}", "line 2: the tag is not closed"),
        ("{{#a}}x", "{{#a}} is not closed"),
        ("{{#a}}x{{/b}}", "{{/b}} closes"),
        ("x{{/b}}", "{{/b}} closes"),
    ],
)
def test_an_open_tag_or_section_is_found(text: str, words: str) -> None:
    assert words in str(broken_tags(text))


@pytest.mark.parametrize(
    "text",
    [
        "plain",
        "{{a}} {{{b}}} {{&c}} {{! words\nmore }}",
        "{{#a}}{{^b}}x{{/b}}{{/a}}",
        "{{=<% %>=}} {{",
    ],
)
def test_a_whole_template_passes(text: str) -> None:
    assert broken_tags(text) is None


def test_the_shipped_templates_are_whole() -> None:
    texts = [path.read_text(encoding="utf-8") for path in SHIPPED.rglob("*.mustache")]
    assert texts
    assert [broken_tags(text) for text in texts] == [None] * len(texts)
