"""`make check`: what can be said about the code without running it.

Every check runs even when an earlier one failed, so that one run names everything there is to mend. A check that
passes takes one line; one that fails shows what its tool said.
"""

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent

CHECKS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("style", ("ruff", "check", ".")),
    ("layout", ("ruff", "format", "--check", ".")),
    ("types", ("mypy",)),
    ("layers", ("lint-imports",)),
)


def run(name: str, command: tuple[str, ...]) -> bool:
    """Run one check, say how it went, and return whether it passed."""
    began = time.perf_counter()
    result = subprocess.run(
        (str(BIN / command[0]), *command[1:]),
        cwd=ROOT,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    passed = result.returncode == 0
    print(
        f"{'ok  ' if passed else 'FAIL'} {name:7} {' '.join(command)} ({time.perf_counter() - began:.1f} s)"
    )
    if not passed:
        print(result.stdout)
    return passed


def main() -> int:
    """Run all checks; the exit code is the number of those that failed."""
    return sum(not run(name, command) for name, command in CHECKS)


if __name__ == "__main__":
    sys.exit(main())
