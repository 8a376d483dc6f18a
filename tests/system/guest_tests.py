"""What is tested in a booted system. Runs as root in it, with the packages beside it:
guest_tests.py RESULTS, or --list for the names of the tests."""

import importlib
import sys

from guest import explain
from report import names, run_all

# In the order in which they run: from the installation to the removal.
CASES = "installation_cases", "service_cases", "durability_cases", "removal_cases"


def main() -> None:
    for cases in CASES:
        importlib.import_module(cases)
    if sys.argv[1] == "--list":
        print("\n".join(names()))
        return
    with open(sys.argv[1], "w", encoding="utf-8") as results:
        run_all(results, after_failure=explain)


if __name__ == "__main__":
    main()
