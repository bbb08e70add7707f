"""Tests of the books: the ledger and its proof."""
