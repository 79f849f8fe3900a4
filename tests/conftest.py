"""What every test has: the default database, services, scratch directories, connections to other databases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from optimizations.tools.demo import make_demo_file
from promptadmin.db.derived_tables import PREFIX
from promptadmin.ops.startup.sequence import run_startup
from promptadmin.plugins.isolation import failures
from promptadmin.search import building
from tests.support.django_databases import as_default, connected, sqlite_config
from tests.support.legacy_files import unpack
from tests.support.made_once import MadeOnce
from tests.support.processes import REPOSITORY, Scratch
from tests.support.rounds import EXAMPLES, WHOLE
from tests.support.services import check_services

LEFT_TO_POSTGRESQL = "runs where DATABASE_URL names a PostgreSQL database, as in CI, and in `make proof`"
OpenFile = Callable[[Path], AbstractContextManager[BaseDatabaseWrapper]]
Command = Callable[..., CompletedProcess[str]]
OpenDatabase = Callable[[dict[str, Any]], AbstractContextManager[BaseDatabaseWrapper]]

hypothesis_settings.register_profile(
    "promptadmin",
    max_examples=EXAMPLES,
    deadline=None,  # an example may migrate a database
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    print_blob=True,
)
hypothesis_settings.load_profile("promptadmin")


def pytest_xdist_auto_num_workers() -> int:
    """Two for each core: half of what the tests take is waiting, for servers that start, stop, or are killed."""
    return 2 * (os.cpu_count() or 1)


def pytest_configure(config: pytest.Config) -> None:
    os.environ["PYTHONPATH"] = str(REPOSITORY)  # where processes that the product starts find `tests.settings`
    for marker in (
        "needs_postgresql: the test makes databases on a PostgreSQL server",
        "needs_clusters: the test runs PostgreSQL servers of its own",
        "needs_chromium: the test drives Chromium",
        "needs_nginx: the test runs nginx, with a certificate that openssl makes",
        "needs_caddy: the test runs Caddy",
        "needs_wrk: the test sends load with wrk",
        "needs_clients: the test runs other products' clients",
        "needs_node_clients: the test runs other products' clients in JavaScript",
        "needs_legacy_files: the test adopts PromptForge's sample files",
    ):
        config.addinivalue_line("markers", marker)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run on both engines what uses the default database, and all else on one: on PostgreSQL where it makes such ones.

    `make proof` has one run, in which nothing is left to the other engine's.
    """
    if connections["default"].vendor == "postgresql":
        chosen = [item for item in items if _uses_default_database(item) or _is_left_to_postgresql(item)]
        config.hook.pytest_deselected(items=[item for item in items if item not in set(chosen)])
        items[:] = chosen
    elif not WHOLE:
        for item in items:
            if _is_left_to_postgresql(item):
                item.add_marker(pytest.mark.skip(reason=LEFT_TO_POSTGRESQL))


def _uses_default_database(item: pytest.Item) -> bool:
    fixtures = {"db", "transactional_db", "live_server"} & set(getattr(item, "fixturenames", ()))
    return bool(fixtures) or item.get_closest_marker("django_db") is not None


def _is_left_to_postgresql(item: pytest.Item) -> bool:
    """Whether it makes its own databases, on a PostgreSQL server."""
    makes = item.get_closest_marker("needs_postgresql") or item.get_closest_marker("needs_clusters")
    return bool(makes) and not _uses_default_database(item)


def pytest_runtest_setup(item: pytest.Item) -> None:
    check_services(item)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None,
    tmp_path_factory: pytest.TempPathFactory,
    open_file: OpenFile,
    made_once: MadeOnce,
) -> None:
    """The default test database is a real file: one in memory has no WAL, and its locks wait for nobody.

    One of the workers migrates it for all.
    """
    default = connections["default"]
    if default.vendor == "sqlite":
        path = tmp_path_factory.mktemp("default") / "test.db"
        path.write_bytes(made_once("migrated.db", partial(_migrate, open_file)))
        default.settings_dict["TEST"]["NAME"] = str(path)


def _migrate(open_file: OpenFile, path: Path) -> None:
    with open_file(path) as connection:
        call_command("migrate", database=connection.alias, verbosity=0)


@pytest.fixture(scope="session")
def django_db_keepdb(django_db_keepdb: bool) -> bool:
    """Whether the test database is there before the tests: SQLite's is."""
    return django_db_keepdb or connections["default"].vendor == "sqlite"


@pytest.fixture(scope="session", autouse=True)
def data_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Commands that run in this process use a data directory of their own, not the user's."""
    directory = tmp_path_factory.mktemp("data")
    with override_settings(DATA_DIR=directory):
        yield directory


@pytest.fixture(autouse=True)
def no_request_counted() -> None:
    """Each test starts with all the requests that strangers may make in a minute."""
    cache.clear()


@pytest.fixture(autouse=True)
def no_failure_counted() -> None:
    """What plugins did in earlier tests of this process is nothing that a doctor should see."""
    failures.clear()


@pytest.fixture(autouse=True)
def no_search_index_left(request: pytest.FixtureRequest, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What upkeep has made for searches, beside the SQLite file or in PostgreSQL: later tests begin without it."""
    yield
    marker = request.node.get_closest_marker("django_db")
    if not marker or not marker.kwargs.get("transaction"):
        return
    if connections["default"].vendor == "sqlite":
        building.remove(connections["default"].settings_dict["NAME"])
    elif connections["default"].vendor == "postgresql":
        with django_db_blocker.unblock(), connections["default"].cursor() as cursor:
            cursor.execute("SELECT indexname FROM pg_indexes WHERE starts_with(indexname, %s)", [f"{PREFIX}search_"])
            for (name,) in cursor.fetchall():
                cursor.execute(f"DROP INDEX {name}")


@pytest.fixture
def scratch(tmp_path: Path) -> Scratch:
    """A directory of its own for `manage.py` in another process."""
    return Scratch(tmp_path)


@pytest.fixture
def command(scratch: Scratch, django_db_blocker: DjangoDbBlocker) -> Command:
    """Runs a command as `scratch.manage` does, but in this process, which takes a hundredth of the time."""

    def ran(*arguments: str, database: Path = scratch.database) -> CompletedProcess[str]:
        output, errors = StringIO(), StringIO()
        scratch.data_dir.mkdir(mode=0o700, exist_ok=True)
        with django_db_blocker.unblock(), override_settings(DATA_DIR=scratch.data_dir), as_default(database):
            try:
                call_command(*arguments, stdout=output, stderr=errors)
                code = 0
            except (CommandError, ImproperlyConfigured, OperationalError) as error:  # `manage.py` says them in a line
                errors.write(f"{type(error).__name__}: {error}\n")
                code = 1
        return CompletedProcess(arguments, code, output.getvalue(), errors.getvalue())

    return ran


@pytest.fixture(scope="session")
def open_database(django_db_blocker: DjangoDbBlocker) -> OpenDatabase:
    """Opens a database by its settings as the connection `scratch` of this process."""

    @contextmanager
    def opened(config: dict[str, Any]) -> Iterator[BaseDatabaseWrapper]:
        with django_db_blocker.unblock(), connected(config) as connection:
            yield connection

    return opened


@pytest.fixture(scope="session")
def open_file(open_database: OpenDatabase) -> OpenFile:
    """Opens a SQLite file as the connection `scratch` of this process."""
    return lambda path: open_database(sqlite_config(path))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Files that all workers of this run share; the base directory of each lies in that of the run."""
    base = tmp_path_factory.getbasetemp()
    return MadeOnce((base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once")


@pytest.fixture(scope="session")
def new_file(open_file: OpenFile, made_once: MadeOnce) -> bytes:
    """The bytes of a new database after its first start-up: a test writes them where it needs a file."""

    def make(path: Path) -> None:
        with open_file(path) as connection:
            run_startup(using=connection.alias)

    return made_once("new.db", make)


@pytest.fixture(scope="session")
def adopted_demo(open_file: OpenFile, made_once: MadeOnce) -> bytes:
    """The bytes of the demo's file after its first start-up."""

    def make(path: Path) -> None:
        make_demo_file(path)
        with open_file(path) as connection:
            run_startup(using=connection.alias)

    return made_once("demo.db", make)


@pytest.fixture(scope="session")
def adopted_sample(open_file: OpenFile, made_once: MadeOnce) -> Callable[[str], bytes]:
    """The bytes of one of PromptForge's sample files, by its name, after its first start-up."""

    def make(name: str, path: Path) -> None:
        unpack(name, path)
        with open_file(path) as connection:
            run_startup(using=connection.alias, repair_orphans=True)

    return lambda name: made_once(f"{name}.db", partial(make, name))
