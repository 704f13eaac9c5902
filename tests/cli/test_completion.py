from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ASK = """
eval "$(_RAYMON_COMPLETE=bash_source raymon)"
complete -p raymon
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _raymon_completion raymon
  echo "${COMPREPLY[*]}"; }
ask raymon tra
ask raymon checkpoint v
ask raymon train --res
ask raymon ini
ask raymon predict --output
"""


def test_bash_completes_commands_and_options() -> None:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    told = subprocess.run(["bash", "-c", ASK], env=environment, capture_output=True, text=True)
    assert told.stdout.splitlines() == [
        "complete -o nosort -F _raymon_completion raymon",
        "train",
        "verify",
        "--resume --resume-if-any",
        "init",
        "--output-columns",
    ]
    assert told.stderr == ""
