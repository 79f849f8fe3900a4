"""Saving by name: what makes a prompt, a version or nothing, with labels in the same step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from projects.contrib.registry.details import Content, write_details
from projects.contrib.registry.models import Kind
from projects.contrib.registry.names import LATEST, checked_label, checked_name
from projects.contrib.registry.records import Named, Saved
from projects.contrib.registry.repository.browsing import Browsing
from projects.contrib.registry.repository.named import expect_readable
from projects.contrib.registry.targets import Target
from projects.reach import by_any_name, outside, row_limits
from projects.repository import LEAVE, Leave
from promptadmin.context import current_actor
from promptadmin.errors import Forbidden, Invalid, NotFound

#: In which project a prompt is made whose name is in no folder.
DEFAULT_PROJECT = "prompts"
CREATED, VERSION, UNCHANGED = "created", "version", "unchanged"


class Saving(Browsing):
    """The part that writes prompts by their names."""

    def save(
        self,
        *,
        name: str,
        text: str,
        kind: str | None = None,
        template_format: str | None = None,
        config: Any = LEAVE,
        variables: Any = LEAVE,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        reason: str = "",
        labels: Sequence[str] = (),
        project: str | None = None,
    ) -> Saved:
        """Make sure that a prompt of this name has this content as its current version, and that labels point there.

        The same content makes no version. What isn't given stays as it is. A new prompt is made in the project with
        this name or, without one, in the only one that a token is limited to or with the name of the outermost folder.
        Raises as `move_label` does for each label, and
        Invalid for a name, kind or text that can't be.
        """
        for label in labels:
            checked_label(label)
        prompt = self._found(name)
        before = self.resolve(name=prompt.name, label=LATEST) if prompt else None
        content = Content(
            kind or (before.kind if before else Kind.TEXT),
            text,
            (before.config if before else None) if isinstance(config, Leave) else config,
            (before.variables if before else None) if isinstance(variables, Leave) else variables,
        )
        expect_readable(content.kind, text)
        outcome = UNCHANGED
        about: dict[str, Any] = {
            "kind": kind,
            "template_format": template_format,
            "description": description,
            "tags": tags,
        }
        if prompt is None:
            with by_any_name(name):
                prompt_id, outcome = self._create(name, text, project), CREATED
                self.give_name(prompt_id=prompt_id, name=name, **about)
        else:
            prompt_id = prompt.prompt_id
            if before is None or before.sha256 != content.sha256:
                self.prompts.update_prompt(prompt_id=prompt_id, content=text, always=True)
                outcome = VERSION
            if any(given is not None for given in about.values()):
                self.give_name(prompt_id=prompt_id, name=prompt.name, **about)
        if outcome != UNCHANGED:
            version = prompt.current + 1 if prompt else 1
            author = current_actor().name
            write_details(prompt_id, version, content, author=author, reason=reason or None, using=self.using)
        saved = self.resolve(name=name, label=LATEST)
        moves = [
            self.move_label(name=saved.name, label=label, target=Target.of(saved.version), reason=reason)
            for label in labels
        ]
        return Saved(outcome, self.resolve(name=name, label=LATEST) if moves else saved, moves)

    def _found(self, name: str) -> Named | None:
        """The prompt of a name, as it is now, kept from other writers; None where there is none."""
        try:
            found = self.find(name)
        except NotFound:
            return None
        return self._locked(found)

    def save_version(self, *, name: str, reason: str = "", labels: Sequence[str] = (), **content: Any) -> Saved:
        """The same for a prompt that there is. Raises NotFound."""
        return self.save(name=self.find(name).name, reason=reason, labels=labels, **content)

    def _create(self, name: str, text: str, project: str | None) -> str:
        folder, slash, _ = checked_name(name).partition("/")
        reach = row_limits()
        if not project and reach is not None and reach.projects is not None and len(reach.projects) == 1:
            return self.prompts.add_prompt(project_id=min(reach.projects), content=text).id
        try:
            found = self.prompts.ensure_project_by_name(project or (folder if slash else DEFAULT_PROJECT))
        except Forbidden:
            if project:
                raise
            raise outside(current_actor(), must_name="a new prompt") from None
        if found is None:
            raise Invalid("A project's name can't be blank")
        return self.prompts.add_prompt(project_id=found.id, content=text).id
