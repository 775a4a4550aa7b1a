"""The online model: lessons and predictions a second, and the size of a checkpoint.

Run, from the checkout: make bench ARGS=learner

Processor time in this process counts: the daemon's learner does the same in one of its own, plus a
frame on a pipe each way. Features are as many as the daemon hands in, horizons the default five.
"""

import argparse
import math
import random
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from simple_trader.adapters.learner.online import OnlineModel
from simple_trader.core.strategy.features import NEUTRAL
from simple_trader.domain.actions import Lesson, PredictFor

HORIZONS = (1, 2, 3, 5, 10)
CYCLE_S = 900
START = datetime(2026, 3, 2, tzinfo=UTC)


def features(dice: random.Random) -> dict[str, float | None]:
    """One snapshot as the model is given it."""
    return {name: dice.gauss(0.0, 1.0) for name in NEUTRAL}


def lessons(pairs: list[str], cycles: int, dice: random.Random) -> list[list[Lesson]]:
    """What becomes known at each cycle: one outcome for each pair and horizon."""
    return [
        [
            Lesson(
                pair=pair,
                horizon_cycles=horizon,
                horizon_s=horizon * CYCLE_S,
                made_at=START,
                known_at=START + timedelta(seconds=horizon * CYCLE_S),
                features=shown,
                probability=0.5,
                outcome=dice.randrange(2),
            )
            for pair in pairs
            for shown in (features(dice),)
            for horizon in HORIZONS
        ]
        for _ in range(cycles)
    ]


def main() -> int:
    """Teach and ask for some hundred cycles, and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    dice = random.Random(asked.seed)
    pairs = [f"P{number}/USD" for number in range(asked.pairs)]
    batches = lessons(pairs, asked.cycles, dice)
    items = [PredictFor(pair=pair, features=features(dice)) for pair in pairs]
    model = OnlineModel()
    taught = told = saved = 0.0
    slowest = 0.0
    for batch in batches:
        begun = time.process_time()
        model.teach(batch)
        learned = time.process_time()
        model.predict(items, HORIZONS, CYCLE_S)
        predicted = time.process_time()
        blob = model.predictor.to_blob()
        ended = time.process_time()
        taught += learned - begun
        told += predicted - learned
        saved += ended - predicted
        slowest = max(slowest, ended - begun)
    count, per_ms = len(batches[0]) * asked.cycles, 1e3 / asked.cycles
    whole = math.fsum((taught, told, saved)) * per_ms
    print(f"{asked.pairs} pairs, {len(HORIZONS)} horizons, {len(NEUTRAL)} features")
    print(f"lessons      {count / taught:>10,.0f} /s")
    print(f"predictions  {count / told:>10,.0f} /s, {told * per_ms:.2f} ms for all of a cycle")
    print(f"checkpoint   {len(blob):>10,} bytes, {saved * per_ms:.2f} ms")
    print(f"whole cycle  {whole:>10.1f} ms, slowest {slowest * 1e3:.1f} ms")
    return 0


if __name__ == "__main__":
    sys.exit(main())
