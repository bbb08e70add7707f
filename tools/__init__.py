"""What the Makefile calls: the demonstration, the checks, and the child processes both they and the tests start."""
