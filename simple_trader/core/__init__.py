"""The brain: deterministic, without clock, dice, network or log; event in, actions out."""
