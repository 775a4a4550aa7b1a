"""A look at a Mustache template that tells a half-written one from a whole one."""

import re

_TAG = re.compile(r"\{\{(?P<triple>\{)?\s*(?P<kind>[#^/!&>=]?)\s*(?P<name>.*?)\s*\}\}", re.DOTALL)


def broken_tags(text: str) -> str | None:
    """Why this cannot be a whole template, or None: blank, an open tag, an open section.

    Which variables it may use is judged where it is rendered (C09).
    """
    if not text.strip():
        return "the template is empty"
    open_sections: list[str] = []
    at = 0
    while (start := text.find("{{", at)) >= 0:
        line = text.count("\n", 0, start) + 1
        tag = _TAG.match(text, start)
        if tag is None:
            return f"line {line}: the tag is not closed with }}}}"
        at = tag.end()
        if tag["triple"]:
            if not text.startswith("}", at):
                return f"line {line}: the tag is not closed with }}}}}}"
            at += 1
        name = tag["name"]
        if tag["kind"] in {"#", "^"}:
            open_sections.append(name)
        elif tag["kind"] == "=":
            return None  # other delimiters from here on: the renderer judges
        elif tag["kind"] == "/" and (not open_sections or open_sections.pop() != name):
            return f"line {line}: {{{{/{name}}}}} closes a section that is not open"
    if open_sections:
        return f"the section {{{{#{open_sections[-1]}}}}} is not closed"
    return None
