"""Tests of the donors, their data and how long it is kept."""
