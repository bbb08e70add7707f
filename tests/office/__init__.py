"""Tests of what staff do, without their pages."""
