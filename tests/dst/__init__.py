"""Deterministic simulation: the whole daemon on virtual time, one seed, real Postgres (ADR 0017)."""
