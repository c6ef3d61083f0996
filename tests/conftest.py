"""What every test of the house shares: the peers that must be installed, and network namespaces.

A test marked ``interop`` starts real peers, one marked ``network`` runs in a network namespace of its own.
What they need is looked for once, when the tests are collected: a machine that lacks it ends the run with
exit code 2 and one line; nothing is ever skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

from packages import find, missing

pytest_plugins = ["tests.edges"]

# Two cores shared by a whole run: how long one example takes says nothing of the code.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

INSIDE = "TRUNKLINE_TEST_NAMESPACE"  # set in the environment of a test that already has its namespace


def namespace_command() -> list[str] | None:
    """The words before a command that give it its own network namespace; None where the kernel refuses."""
    # Root makes one directly. Anybody else, and root in a poor container, makes a user namespace around it.
    for flags in (["-n"], ["-Urn"]) if os.geteuid() == 0 else (["-Urn"],):
        command = [find("unshare") or "unshare", *flags]
        if subprocess.run([*command, "true"], capture_output=True).returncode == 0:
            return command
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Marks the tests of a kind by the directory they live in, before -m selects.

    Those that run elsewhere come last: no test after them finds what one before them left set up.
    """
    for item in items:
        room = item.path.relative_to(config.rootpath / "tests").parts[0]
        if room in ("simulation", "interop", "network"):
            item.add_marker(room)
    items.sort(key=lambda item: item.get_closest_marker("network") is not None)


def pytest_collection_finish(session: pytest.Session) -> None:
    networked = any(item.get_closest_marker("network") for item in session.items)
    if not networked and not any(item.get_closest_marker("interop") for item in session.items):
        return
    if absent := missing():
        pytest.exit(f"missing Debian packages: {' '.join(absent)}", returncode=2)
    if networked and INSIDE not in os.environ and namespace_command() is None:
        pytest.exit(
            "network namespaces are refused here: run as root, or allow user namespaces", returncode=2
        )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    """Runs a ``network`` test again, whole, in a namespace of its own, and reports what it said there."""
    if item.get_closest_marker("network") is None or INSIDE in os.environ:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    begun = time.time()  # noqa: TID251 - pytest's own reports carry civil time
    code, said = _run_inside(item)
    ended = time.time()  # noqa: TID251
    for when in ("setup", "call", "teardown"):
        failed = code != 0 and when == "call"
        report = pytest.TestReport(
            nodeid=item.nodeid,
            location=item.location,
            keywords=dict.fromkeys(item.keywords, 1),
            outcome="failed" if failed else "passed",
            longrepr=said if failed else None,
            when=when,
            duration=ended - begun if when == "call" else 0.0,
            start=begun,
            stop=ended,
        )
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _run_inside(item: pytest.Item) -> tuple[int, str]:
    pytest_again = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", item.nodeid]
    script = 'ip link set lo up && exec "$@"'
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "COV_CORE_", "COVERAGE_"))
    }
    environment |= {
        INSIDE: "1",
        "PATH": os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin")),
    }
    done = subprocess.run(
        [*(namespace_command() or []), "sh", "-c", script, "sh", *pytest_again],
        cwd=item.config.rootpath,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


@pytest.fixture(autouse=True, scope="session")
def no_peer_outlives_the_tests() -> Iterator[None]:
    """Every process that a test started has ended when the tests have."""
    yield
    children = _children(os.getpid())
    assert not children, f"still running: {children}"


def _children(pid: int) -> list[str]:
    """The living children of a process, each as its pid and command line."""
    alive = []
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # it may end while we look
            # A zombie, and a process that is only now becoming another, has no command line.
            if command := Path(f"/proc/{child}/cmdline").read_bytes():
                alive.append(f"{child} {command.replace(bytes(1), b' ').decode()}")
    return alive
