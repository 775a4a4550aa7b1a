"""The prompt desk: one answer to each request, in files that only their owner may read."""

import json
from pathlib import Path

from simple_trader.runtime.prompt_desk import PromptDesk


def test_each_request_is_answered_once_with_its_pair(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(pair: str) -> bytes:
        asked.append(pair)
        return b"about " + pair.encode()

    desk = PromptDesk(tmp_path, answer)
    (tmp_path / "prompt-1.json").write_text(json.dumps({"pair": "BTC/USD"}))
    (tmp_path / "prompt-2.json").write_text("no JSON")
    (tmp_path / "halt.json").write_text("{}")
    desk.look()
    desk.look()
    assert asked == ["BTC/USD", ""]
    assert (tmp_path / "prompt-1.answer").read_bytes() == b"about BTC/USD"
    assert (tmp_path / "prompt-1.answer").stat().st_mode & 0o777 == 0o600
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["halt.json", "prompt-1.answer", "prompt-2.answer"]
