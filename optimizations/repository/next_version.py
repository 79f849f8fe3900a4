"""The part of the repository that gives what a run made to its prompt."""

from __future__ import annotations

from collections.abc import Collection

from optimizations.repository.reading import Reading
from projects.models import Prompt
from projects.records import PromptRecord
from projects.repository import ProjectRepository
from promptadmin.conf.limits import PROMPT_LENGTH
from promptadmin.errors import Invalid


class NextVersion(Reading):
    """Makes a run's optimised prompt the next version of the prompt that the run is linked to."""

    def next_version(self, run_id: str) -> tuple[Prompt, str]:
        """The prompt as it is, and the text that would become its next version. Raises NotFound, Invalid."""
        run = self.get_run(run_id)
        text = run["optimized_prompt"]
        if not text or not text.strip():
            raise Invalid("This run has no optimised prompt that could become a version.")
        if len(text) > PROMPT_LENGTH:
            raise Invalid(f"A prompt may have {PROMPT_LENGTH:,} characters; the optimised one has {len(text):,}.")
        if run["prompt_id"] is None:
            raise Invalid("This run is linked to no prompt. Move it to a project: that links it to the prompt there.")
        prompt = ProjectRepository(self.using).readable_prompt(run["prompt_id"])
        if prompt.content == text:
            raise Invalid(f"The prompt has this text already, as version {prompt.version}.")
        return prompt, text

    def make_next_version(
        self, run_id: str, *, expected_versions: Collection[int] | None = None, reason: str = ""
    ) -> PromptRecord:
        """Give the text to the prompt, as an edit that names the run and the reason.

        Raises what `next_version` and `ProjectRepository.update_prompt` raise.
        """
        prompt, text = self.next_version(run_id)
        return ProjectRepository(self.using).update_prompt(
            prompt_id=prompt.id,
            content=text,
            optimization_id=run_id,
            expected_versions=expected_versions,
            reason=reason,
        )
