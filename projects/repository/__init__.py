"""All queries and writes on projects, prompts and their versions, with the rules that hold at every door.

A door opens a `write_session()` or a `read_session()` around each call.
What is refused raises a `promptadmin.errors.DomainError`.
"""

from projects.records import ProjectInfo
from projects.repository.importing import Importing
from projects.repository.matching import Matching
from projects.repository.overviews import RUNS_COUNTED, Overviews
from projects.repository.placing import Placing, with_twins
from projects.repository.projects import LEAVE, Leave
from projects.repository.rows import project_state
from projects.repository.versions import Versions

__all__ = ["LEAVE", "RUNS_COUNTED", "Leave", "ProjectInfo", "ProjectRepository", "project_state", "with_twins"]


class ProjectRepository(Matching, Overviews, Placing, Versions, Importing):
    """Projects, prompts and versions, find-or-create and moves between projects, import, and numbers about them."""
