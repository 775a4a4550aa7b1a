"""Kraken-shaped ids."""

import re

from simple_trader.simulator.ids import kraken_id


def test_an_id_has_six_five_six_characters_of_kraken_s_alphabet() -> None:
    for letter in "OTL":
        for counter in range(200):
            name = kraken_id(letter, 7, counter)
            assert re.fullmatch(rf"{letter}[A-Z2-7]{{5}}-[A-Z2-7]{{5}}-[A-Z2-7]{{6}}", name)


def test_ids_of_one_seed_are_unique_and_follow_from_it() -> None:
    ids = {kraken_id("O", 7, counter) for counter in range(5000)}
    assert len(ids) == 5000
    assert kraken_id("O", 7, 12) == kraken_id("O", 7, 12) != kraken_id("O", 8, 12)
    assert kraken_id("T", 7, 12)[1:] != kraken_id("O", 7, 12)[1:]
