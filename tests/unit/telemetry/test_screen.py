"""Frames on a real pseudo-terminal: in place, never waiting, never fatal."""

import os
import pty
from collections.abc import Iterator
from io import StringIO
from typing import TextIO

import pytest

from simple_trader.telemetry.screen import Screen, ScreenGone


@pytest.fixture
def terminal() -> Iterator[tuple[int, TextIO]]:
    """(our end, the program's stream)."""
    ours, theirs = pty.openpty()
    stream = os.fdopen(theirs, "w")
    yield ours, stream
    for handle in (ours,):
        try:
            os.close(handle)
        except OSError:
            pass  # the test closed it
    try:
        stream.close()
    except OSError:
        pass  # nothing was left to flush to


def test_a_frame_is_drawn_over_the_one_before(terminal: tuple[int, TextIO]) -> None:
    ours, stream = terminal
    screen = Screen(stream)
    screen.draw("one\ntwo\n")
    assert os.read(ours, 1000) == b"\r\x1b[Jone\r\ntwo\r\n"
    screen.draw("three")
    assert os.read(ours, 1000) == b"\r\x1b[2A\x1b[Jthree\r\n"
    screen.draw("four")
    assert os.read(ours, 1000).startswith(b"\r\x1b[1A")
    screen.close()


def test_a_held_terminal_costs_frames_and_no_waiting(terminal: tuple[int, TextIO]) -> None:
    _, stream = terminal
    screen = Screen(stream)
    for _ in range(2000):  # nobody reads: a blocking write would hang here for ever
        screen.draw("x" * 80)
    screen.close()


def test_a_closed_terminal_is_told(terminal: tuple[int, TextIO]) -> None:
    ours, stream = terminal
    screen = Screen(stream)
    os.close(ours)
    with pytest.raises(ScreenGone):
        screen.draw("x")


def test_a_frame_is_cut_to_the_height_of_the_terminal() -> None:
    out = StringIO()
    screen = Screen(out)
    screen.size = (100, 5)
    screen.draw("\n".join(str(n) for n in range(20)))
    assert out.getvalue() == "\r\x1b[J0\n1\n2\n3\n"
    out.close()
    with pytest.raises(ScreenGone):
        screen.draw("x")
