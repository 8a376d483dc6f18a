"""Named tests that report themselves: a line `ok NAME` or `failed NAME: why` for each."""

import sys
import time
import traceback
from collections.abc import Callable
from typing import TextIO

Test = Callable[[], None]

_tests: list[Test] = []


def system_test(test: Test) -> Test:
    """Registers a test. They run in the order in which they stand."""
    _tests.append(test)
    return test


def names() -> list[str]:
    return [test.__name__ for test in _tests]


def expect(condition: object, what: str) -> None:
    """An assertion that stays under -O and says what was expected."""
    if not condition:
        raise AssertionError(what)


def eventually(condition: Callable[[], bool], what: str, seconds: float = 10) -> None:
    """Waits for what happens without anybody waiting for an answer."""
    deadline = time.monotonic() + seconds
    while not condition():
        expect(time.monotonic() < deadline, f"{what}, within {seconds} s")
        time.sleep(0.05)


def run_all(results: TextIO, after_failure: Callable[[], None] = lambda: None) -> None:
    """Runs all tests; one that fails does not keep the next from running."""
    for test in _tests:
        began = time.monotonic()
        try:
            test()
            line = f"ok {test.__name__}"
        except Exception as error:  # whatever it is, the next test has its turn
            traceback.print_exc(file=sys.stderr)
            detail = " / ".join(str(error).split("\n")) or type(error).__name__
            line = f"failed {test.__name__}: {detail}"
            after_failure()
        print(f"{line} ({time.monotonic() - began:.1f} s)", file=results, flush=True)
