"""Tests of the staff's door and of what staff do behind it."""
