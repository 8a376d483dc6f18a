#!/usr/bin/env python3
"""Documents, man pages and completion say what the programs accept, no less and no more.

    documentation_test.py --list
    documentation_test.py --source DIR --meridiand FILE --meridianctl FILE --meridian-sim FILE [CASE...]

The programs are asked: by --help, by the messages with which they refuse, and by a daemon that runs.
Exit status: 0, 1 if a case fails, 77 if all were skipped.
"""

import argparse
import sys
import unittest

from command_line_cases import CommandLineCases
from config_cases import ConfigCases
from documentation import PAGES, Documentation
from page_cases import PageCases
from recipe_cases import RecipeCases
from reference_cases import ReferenceCases


def all_cases():
    """{its name: a case}."""
    found = {}
    for cases in (CommandLineCases, ConfigCases, PageCases, RecipeCases, ReferenceCases):
        for method in unittest.defaultTestLoader.getTestCaseNames(cases):
            found["".join(word.capitalize() for word in method.split("_")[1:])] = cases(method)
    return found


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--source")
    for name in PAGES:
        parser.add_argument(f"--{name}")
    parser.add_argument("cases", nargs="*")
    given = parser.parse_args()
    cases = all_cases()
    if given.list:
        print("\n".join(cases))
        return 0
    Documentation.given = given
    suite = unittest.TestSuite(cases[name] for name in given.cases or cases)
    result = unittest.TextTestRunner(verbosity=2).run(suite)
    if not result.wasSuccessful():
        return 1
    return 77 if len(result.skipped) == result.testsRun else 0


if __name__ == "__main__":
    sys.exit(main())
