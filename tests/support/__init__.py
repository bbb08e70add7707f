"""Real parts for the tests: databases, mail and rate-limit servers, processes, a browser."""
