"""A program of its own that edits prompts for some seconds, and prints the last version of each as JSON."""

from __future__ import annotations

import json
import sys
import time

import django


def main(seconds: float) -> None:
    from projects.repository import ProjectRepository
    from promptadmin.db.sessions import write_session

    with write_session():
        project = ProjectRepository().create_project(name="busy")
        prompts = [ProjectRepository().add_prompt(project_id=project.id, content="v1").id for _ in range(5)]
    versions = dict.fromkeys(prompts, 1)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for prompt in prompts:
            with write_session():
                versions[prompt] += 1
                ProjectRepository().update_prompt(prompt_id=prompt, content=f"v{versions[prompt]}")
        time.sleep(0.1)
    sys.stdout.write(json.dumps(versions))


if __name__ == "__main__":
    django.setup()
    main(float(sys.argv[1]))
