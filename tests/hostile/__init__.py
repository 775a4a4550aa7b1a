"""Hostile answers of a model: a corpus kept as data, a fuzzer, and judges that share no code."""
