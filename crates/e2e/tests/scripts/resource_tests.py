"""Runs the resource tests of the official Python SDK's source distribution against a server, and reports in JSON.

Arguments: the folder of the distribution, the base URL, what to select (pytest's -k), and the test files.
"""

import contextlib
import json
import os
import sys


class Outcomes:
    """A plugin of pytest that keeps what became of each test."""

    def __init__(self):
        self.passed, self.failed, self.skipped = [], {}, {}

    def pytest_runtest_logreport(self, report):
        if report.failed:
            self.failed[report.nodeid] = str(report.longrepr)[-600:]
        elif report.skipped:
            self.skipped[report.nodeid] = str(report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr)
        elif report.when == "call":
            self.passed.append(report.nodeid)


def main(folder, base_url, selected, *files):
    os.chdir(folder)
    os.environ["TEST_API_BASE_URL"] = base_url
    # The tests import their own package; the SDK itself is the one that is installed.
    sys.path.insert(0, folder)
    import pytest

    outcomes = Outcomes()
    # The distribution's own options ask for as many processes as there are processors.
    options = ["-o", "addopts=-p tests._alias_httpx", "-p", "no:cacheprovider", "--tb=line", "-q", "-k", selected]
    with contextlib.redirect_stdout(sys.stderr):
        code = pytest.main([*options, *files], plugins=[outcomes])
    return {"code": int(code), "passed": outcomes.passed, "failed": outcomes.failed, "skipped": outcomes.skipped}


print(json.dumps(main(*sys.argv[1:])))
