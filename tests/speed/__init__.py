"""Tests of speed that can fail without a stopwatch: freshness, sameness, one reading, statements, plans."""
