"""Reads the corpus: hostile answers as lines of text files, each with what must become of it.

A file of corpus/ begins with `mode:` and `expect:`; then each line is one entry, `# ...` a comment
and `TEXT ⇒ OUTCOME` an entry with an outcome of its own. Modes:

- `replies`: the line is the whole answer.
- `fields`: `NAME = LITERAL` puts raw JSON at a field of the decision about BTC/USD (`outer NAME`:
  of the answer around it) of an answer that is good else.
- `texts`: words of strangers; the tests put them wherever a text can stand.
- `bodies`: the line is the whole HTTP body of a provider.

An outcome is a reason (both pairs hold), `good` (read as it is written), or one for each pair:
`btc=advice_duplicate eth=good`. Behind `| tool` stands what becomes of it as tool arguments, where
that is not the same; `| finish WORD` is the reason the provider gives for the end of the answer.

Between ⟦ and ⟧: `U+1B` a character, `4000*x` a repetition, `n` a line feed, `good`, `btc` and `eth`
the good answer and its two decisions, `good:40` its first 40 characters, `good:-1` all but one.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "corpus"
BTC_PAIR, ETH_PAIR = "BTC/USD", "ETH/USD"
READ = {BTC_PAIR: ("buy", 0.9, "low"), ETH_PAIR: ("buy", 0.8, "medium")}
GOOD = "good"
_HOLE = re.compile("⟦([^⟦⟧]*)⟧")


@dataclass(frozen=True)
class Entry:
    """One hostile answer; the outcomes are by pair, a reason's name or `good`."""

    theme: str
    line: int
    mode: str
    raw: str
    finish: str
    content: dict[str, str]
    tool: dict[str, str]
    field: str = ""  # of `fields`: `NAME` or `outer NAME`
    literal: str = ""

    def __str__(self) -> str:
        """Where it stands, as editors jump to."""
        return f"{self.theme}:{self.line}"

    def outcome(self, kind: str) -> dict[str, str]:
        """What must become of it as text or as tool arguments."""
        return self.tool if kind == "tool_call" else self.content


def decision(pair: str, /, **literals: str) -> str:
    """One good decision about a pair, with raw JSON for the fields that are named."""
    action, confidence, risk = READ[pair]
    fields = {
        "pair": json.dumps(pair),
        "action": json.dumps(action),
        "confidence": json.dumps(confidence),
        "risk_level": json.dumps(risk),
        "rationale": '"the trend holds"',
        **literals,
    }
    return "{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in fields.items()) + "}"


def answer(*decisions: str, **literals: str) -> str:
    """The answer around decisions, with raw JSON for its own fields."""
    fields = {
        "decisions": "[" + ", ".join(decisions) + "]",
        "rationale": '"calm"',
        "confidence": "0.7",
        **literals,
    }
    return "{" + ", ".join(f"{json.dumps(k)}: {v}" for k, v in fields.items()) + "}"


def good() -> str:
    """The answer that every entry spoils somehow."""
    return answer(decision(BTC_PAIR), decision(ETH_PAIR))


def expand(text: str) -> str:
    """The text with its holes filled; raises ValueError for one that means nothing."""
    return _HOLE.sub(lambda hole: _filled(hole[1]), text)


def _filled(word: str) -> str:
    known = {"good": good(), "btc": decision(BTC_PAIR), "eth": decision(ETH_PAIR), "n": "\n"}
    if word in known:
        return known[word]
    if word.startswith("U+"):
        return chr(int(word.replace("U+", "0x"), 0))
    if word.startswith("good:"):
        return good()[: int(word[5:])]
    if word.startswith("quoted:"):
        return json.dumps(expand(f"⟦{word[7:]}⟧"))
    times, star, what = word.partition("*")
    if star and times.isdigit():
        return known.get(what, what) * int(times)
    raise ValueError(f"⟦{word}⟧ means nothing")


@cache
def entries(mode: str = "") -> tuple[Entry, ...]:
    """All entries, or those of one mode, in the order of the files."""
    found = [entry for path in sorted(FOLDER.glob("*.txt")) for entry in _of(path)]
    return tuple(entry for entry in found if mode in {"", entry.mode})


def _of(path: Path) -> Iterator[Entry]:
    mode, expect = "", ""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        if line.startswith("mode: "):
            mode = line[6:].strip()
        elif line.startswith("expect: "):
            expect = line[8:].strip()
        elif line and not line.startswith("# "):
            text, _, own = line.rpartition(" ⇒ ") if " ⇒ " in line else (line, "", expect)
            yield _entry(Entry(path.stem, number, mode, text, "stop", {}, {}), own)


def _entry(bare: Entry, outcome: str) -> Entry:
    content, *more = [part.strip() for part in outcome.split(" | ")]
    tool, finish = content, "stop"
    for part in more:
        word, _, rest = part.partition(" ")
        if word == "tool":
            tool = rest
        elif word == "finish":
            finish = rest
        else:
            raise ValueError(f"{bare}: {part!r}")
    made = replace(bare, finish=finish, content=_by_pair(content), tool=_by_pair(tool))
    if made.mode == "fields":
        return _with_field(made, alone="=" not in content)
    return replace(made, raw=expand(made.raw))


def _by_pair(words: str) -> dict[str, str]:
    if "=" not in words:
        return {BTC_PAIR: words, ETH_PAIR: words}
    named = dict(part.split("=") for part in words.split())
    return {BTC_PAIR: named["btc"], ETH_PAIR: named["eth"]}


def _with_field(entry: Entry, *, alone: bool) -> Entry:
    """Put the literal at its field; `alone`: what spoils one decision leaves the other as it is."""
    name, _, literal = entry.raw.partition(" = ")
    name, literal = expand(name), expand(literal)
    entry = replace(entry, field=name, literal=literal)
    if name.startswith("outer "):
        changed = {name.removeprefix("outer "): literal}
        return replace(entry, raw=answer(decision(BTC_PAIR), decision(ETH_PAIR), **changed))
    raw = answer(decision(BTC_PAIR, **{name: literal}), decision(ETH_PAIR))
    becomes = entry.content | {ETH_PAIR: GOOD} if alone else entry.content
    return replace(entry, raw=raw, content=becomes, tool=becomes)
