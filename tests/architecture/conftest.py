"""Shows the list of excuses from the house rules at the end of a run, so that it stays short."""

import pytest
import tidy


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print each `# tidy: allow` that is in use, with its reason."""
    _, escapes = tidy.check_all()
    terminalreporter.write_sep("-", f"house rules: {len(escapes)} allowed")
    for escape in escapes:
        line = f"{escape.path}:{escape.line}: {escape.rule}: {escape.reason}"
        terminalreporter.write_line(line)
