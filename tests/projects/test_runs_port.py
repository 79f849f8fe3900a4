"""What projects ask of runs goes through `projects.runs`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import projects
from optimizations.repository.of_prompts import Runs as StoredRuns
from projects import runs
from projects.models import Project, Prompt
from projects.repository import ProjectRepository
from tests.projects.making import make_project, make_prompt, make_run

HERE = Path(projects.__file__).parent
#: The link of a version to its run, and the plugin without which that link leads nowhere.
ALLOWED = {"models.py": ['"optimizations.Optimization"'], "apps.py": ['requires_plugins = ("optimizations",)']}


def test_no_other_module_of_projects_names_the_application_of_runs_or_its_table() -> None:
    """Neither through Django's registry nor in SQL. Migrations that have shipped do."""
    for path in HERE.rglob("*.py"):
        name = str(path.relative_to(HERE))
        if name.startswith("migrations"):
            continue
        text = path.read_text()
        for allowed in ALLOWED.get(name, []):
            assert allowed in text
            text = text.replace(allowed, "")
        assert not re.search(r"\boptimizations\b|get_model\(", text), name


def test_the_application_of_runs_answers() -> None:
    assert isinstance(runs.get_runs("default"), StoredRuns)


@pytest.mark.django_db
def test_without_one_that_answers_there_are_no_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Prompts and projects read, show in lists and go, and runs stay."""
    project = make_project(name="mine")
    prompt = make_prompt(project, "text")
    make_run(prompt, project="mine", raw_prompt="text")
    monkeypatch.setattr(runs, "_registered", [runs.Runs])
    repository = ProjectRepository()
    [read] = repository.get_project(project_id=project.id).prompts
    assert (read.run_count, read.latest_run) == (0, None)
    assert repository.get_prompt(prompt_id=prompt.id) == read
    assert repository.list_runs(prompt_id=prompt.id).total == 0
    assert repository.project_overviews([project.id])[project.id].runs == 0
    assert repository.prompt_overviews([prompt.id])[prompt.id].runs == 0
    assert repository.delete_project(project_id=project.id) == 0
    assert not Prompt.objects.exists()
    assert Project.objects.get().status == "deleted"
