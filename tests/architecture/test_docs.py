"""What the documents name exists: files, commands, flags, make targets, settings, decisions."""

import re
from pathlib import Path

import pytest
import typer

from simple_trader.cli import app
from simple_trader.config.schema import Settings

ROOT = Path(__file__).resolve().parents[2]
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "benchmarks/README.md"])
PICTURES = sorted((ROOT / "docs/pictures").glob("*.svg"))
# Spelled in two halves, so that this file does not catch itself.
MACHINE = re.compile("/(ro" + "ot|wo" + "rk|op" + r"t|ho" + r"me|tm" + r"p)/\w")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def names(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_the_documents_are_found():
    assert {"README.md", "docs/ARCHITECTURE.md", "docs/RUNBOOK.md"} <= set(map(names, DOCS))


@pytest.mark.parametrize("path", DOCS, ids=names)
def test_every_link_leads_to_a_file(path: Path):
    links = [link for link in LINK.findall(path.read_text()) if "://" not in link]
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", [*DOCS, *PICTURES], ids=names)
def test_no_document_names_a_place_of_one_machine(path: Path):
    text = path.read_text()
    assert MACHINE.findall(text) == []
    assert re.findall(r"https?://[\w.]*(?:pypi|registry|mirror)[\w.]*", text) == []


@pytest.mark.parametrize("path", DOCS, ids=names)
def test_every_command_and_flag_in_a_document_exists(path: Path):
    commands = commands_of(typer.main.get_command(app))
    wrong = []
    for words in re.findall(r"simple-trader((?: (?:--)?[a-z][a-z-]*)+)", path.read_text()):
        rest = words.split()
        name = next((" ".join(rest[:n]) for n in (2, 1) if " ".join(rest[:n]) in commands), None)
        if name is None:
            wrong.append(words)
            continue
        flags = [word for word in rest if word.startswith("--")]
        wrong += [f"{name} {flag}" for flag in flags if flag not in commands[name]]
    assert wrong == []


def commands_of(group: object, prefix: str = "") -> dict[str, set[str]]:
    """Each command by its whole name, with its flags."""
    found: dict[str, set[str]] = {}
    for name, command in getattr(group, "commands", {}).items():
        found |= commands_of(command, f"{prefix}{name} ")
        options = {flag for parameter in command.params for flag in parameter.opts}
        found[prefix + name] = options | {"--help"}
    return found


@pytest.mark.parametrize("path", DOCS, ids=names)
def test_every_make_target_in_a_document_exists(path: Path):
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    text = path.read_text()
    named = re.findall(r"(?m)(?:^    |`)make (?:-\S+ \S+ )?([a-z-]+)", text)
    assert [target for target in named if target not in targets] == []


def test_the_settings_that_the_readme_names_exist():
    text = (ROOT / "README.md").read_text()
    known = set(Settings.model_fields)
    wanted = {"place_live_orders", "openai_base_url", "openai_model", "quantity_of_price_history"}
    assert wanted <= known
    assert all(f"`{name}`" in text or f"({name})" in text for name in wanted)


def test_every_decision_is_in_the_list_under_its_own_title():
    folder = ROOT / "docs/adr"
    listed = dict(
        re.findall(r"\[\d{4}\]\(([^)]+)\) \| (.+?) \|", (folder / "README.md").read_text())
    )
    titles = {
        path.name: path.read_text().splitlines()[0].removeprefix(f"# {path.name[:4]} ")
        for path in folder.glob("0*.md")
    }
    assert listed == titles
    assert [name[:4] for name in sorted(titles)] == [f"{n:04}" for n in range(1, len(titles) + 1)]


def test_the_readme_begins_with_the_two_commands():
    lines = (ROOT / "README.md").read_text().splitlines()
    assert [line.split("#")[0].strip() for line in lines[2:4]] == ["make run", "make test"]
