"""Tests of the supporters' door."""
