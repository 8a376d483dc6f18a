#!/usr/bin/env python3
"""The live page, in a browser, shows what a daemon under a simulated load does.

    page_test.py --list
    page_test.py --meridiand FILE --meridianctl FILE --meridian-sim FILE [CASE...]
    page_test.py --meridiand FILE --meridianctl FILE --meridian-sim FILE --screenshots DIR

The browser is Debian's chromium, which python3-websockets speaks to. Screenshots are no case: they take some minutes.
Exit status: 0, 1 if a case fails, 77 if all were skipped.
"""

import argparse
import asyncio
import sys
import unittest
from pathlib import Path

from accessibility_cases import AccessibilityCases
from browser import missing
from connection_cases import ConnectionCases
from contrast_cases import ContrastCases
from figures_cases import FiguresCases
from page_case import PageCase
from screenshots import take_screenshots
from tables_cases import TablesCases

PROGRAMS = ("meridiand", "meridianctl", "meridian-sim")


def all_cases():
    """{its name: a case}."""
    found = {}
    for cases in (FiguresCases, TablesCases, ConnectionCases, AccessibilityCases, ContrastCases):
        for method in unittest.defaultTestLoader.getTestCaseNames(cases):
            found["".join(word.capitalize() for word in method.split("_")[1:])] = cases(method)
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--list", action="store_true")
    for name in PROGRAMS:
        parser.add_argument(f"--{name}", type=lambda path: Path(path).resolve())
    parser.add_argument("--screenshots", type=Path)
    parser.add_argument("cases", nargs="*")
    given = parser.parse_args()
    cases = all_cases()
    if given.list:
        print("\n".join(cases))
        return 0
    PageCase.programs = {name: getattr(given, name.replace("-", "_")) for name in PROGRAMS}
    if given.screenshots:
        if missing():
            sys.exit(f"{missing()} is not installed")
        asyncio.run(take_screenshots(PageCase.programs, given.screenshots))
        return 0
    suite = unittest.TestSuite(cases[name] for name in given.cases or cases)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        return 1
    return 77 if len(result.skipped) == result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
