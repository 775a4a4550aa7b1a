"""The record holds every byte in order, no secret, and never more than it may."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
import sandbox_parts as parts

from simple_trader.sandbox.recording import Recorder, hashed
from simple_trader.sandbox.settings import SandboxError
from simple_trader.sandbox.sources import to_us


def recorder(path: Path, **more: Any) -> Recorder:
    return Recorder(path, parts.Wall(), lambda: to_us(parts.START), world="seed 7", **more)


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def test_frames_and_requests_stand_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    record = recorder(path)
    record.opened(2**63, "private")
    record.frame(2**63, "out", '{"channel":"status"}')
    record.frame(2**63, "out", b"\x81\xff")
    record.request("POST", "/0/private/Balance", {"API-Key": "k", "API-Sign": "s"}, b"nonce=1",
                   200, b'{"error":[]}')  # fmt: skip
    record.closed(2**63)
    begin, opened, text, raw, request, closed = rows(path)
    assert (begin["kind"], begin["format"], begin["world"]) == ("begin", 1, "seed 7")
    assert (opened["way"], opened["on"], opened["connection"]) == ("open", "private", str(2**63))
    assert text["text"] == '{"channel":"status"}'
    assert base64.b64decode(raw["raw"]) == b"\x81\xff"
    assert (request["key"], request["body"], request["status"]) == ("k", "nonce=1", 200)
    assert closed["way"] == "close"
    assert [row["n"] for row in rows(path)] == [1, 2, 3, 4, 5, 6]
    assert begin["real"] == begin["market"] == "2026-03-02T10:00:00.000000Z"


def test_no_token_and_no_signature_is_written_yet_the_account_is_known(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    record = recorder(path)
    record.request(
        "POST", "/0/private/GetWebSocketsToken", {"api-key": "my-key", "API-Sign": "c2lnbg=="},
        b"nonce=1", 200, b'{"error":[],"result":{"token":"SECRET","expires":900}}',
    )  # fmt: skip
    record.frame(7, "in", '{"method":"subscribe","params":{"token": "SECRET"}}')
    record.frame(7, "out", "{}")
    record.close()
    assert b"SECRET" not in path.read_bytes()
    assert b"c2lnbg" not in path.read_bytes()
    assert hashed("SECRET") in rows(path)[1]["answer"]
    assert hashed("SECRET") in rows(path)[2]["text"]
    assert [row["key"] for row in rows(path)[1:]] == ["my-key"] * 3


def test_a_full_file_goes_on_in_a_new_one_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "wire.jsonl"
    record = recorder(path, max_bytes=2000, kept_files=3)
    for number in range(200):
        record.frame(1, "out", f'{{"number":{number}}}')
        record.flush()
    record.close()
    files = sorted(tmp_path.iterdir())
    assert len(files) <= 4
    assert all(file.stat().st_size < 2600 for file in files)
    assert rows(path)[-1]["text"] == '{"number":199}'
    assert rows(path)[0]["kind"] == "begin"


def test_a_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SandboxError, match="--record"):
        recorder(tmp_path / "file" / "wire.jsonl")
