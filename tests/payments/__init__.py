"""Tests of the supplier of payments at its seam."""
