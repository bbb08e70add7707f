"""Tests of the application, the sandbox and the house itself."""
