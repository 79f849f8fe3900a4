"""Looks up known weaknesses of everything in lock files, and says honestly what could not be looked up.

pip-audit alone calls it good where an index doesn't know a package, and fails alike for a weakness and for a missing
network. The exit codes here: 0 all looked up and nothing known, 1 weaknesses, 3 not everything could be looked up.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

ALL_FINE, WEAK, NOT_LOOKED_UP = 0, 1, 3


def verdict(dependencies: list[dict[str, Any]]) -> tuple[int, list[str]]:
    """The exit code, and what to print, of pip-audit's list of dependencies."""
    weak = [item for item in dependencies if item.get("vulns")]
    skipped = [item for item in dependencies if "skip_reason" in item]
    lines = [
        f"{item['name']} {item['version']}: {found['id']}; fixed in {', '.join(found['fix_versions']) or 'no release'}"
        for item in weak
        for found in item["vulns"]
    ]
    lines.append(f"{len(dependencies) - len(skipped)} of {len(dependencies)} looked up, {len(weak)} with weaknesses.")
    if weak:
        return WEAK, lines
    if skipped or not dependencies:
        return NOT_LOOKED_UP, [
            *lines,
            "NOT AUDITED: this index has no such records. Try it where PyPI answers.",
        ]
    return ALL_FINE, lines


def main(lock_files: list[str]) -> int:
    """Audit the lock files."""
    files = [argument for name in lock_files for argument in ("--requirement", name)]
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner", "off"]
    done = subprocess.run([*command, "--format", "json", *files], capture_output=True, text=True, check=False)
    try:
        dependencies = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        print(done.stderr[-2000:], "NOT AUDITED: no answer. Try it where PyPI answers.", sep="\n")
        return NOT_LOOKED_UP
    code, lines = verdict(dependencies)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
