"""The vocabularies that a run is trained with, by which its checkpoints are read later."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from raymon.data import Feature, Vocabulary
from raymon.errors import RunError, os_reason
from raymon.storage import StoragePath, to_json, write_whole

VOCABULARIES_FILE = "vocabularies.json"


def keep_vocabularies(model_dir: StoragePath, features: Iterable[Feature]) -> None:
    """Notes the vocabularies of a run that begins; nothing where no feature has one.

    Raises:
        RunError: The directory cannot be written.
    """
    path, digests = model_dir / VOCABULARIES_FILE, _digests(features)
    try:
        if digests:
            write_whole(path, (to_json(digests, indent=1) + "\n").encode())
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        raise RunError(f"{path}: cannot be written: {os_reason(error)}") from None


def check_vocabularies(model_dir: StoragePath, features: Iterable[Feature]) -> None:
    """Checks that values have the ids that a run was trained on.

    Raises:
        RunError: A vocabulary is another one.
    """
    name = other_vocabulary(model_dir, features)
    if name is not None:
        raise RunError(
            f"{model_dir}: the vocabulary of feature {name} is not the one that the run was "
            "trained with, so that values would have the ids of others; give it as it was"
        )


def other_vocabulary(model_dir: StoragePath, features: Iterable[Feature]) -> str | None:
    """The first feature whose vocabulary is another one than in a run; None: there is none.

    A file of a vocabulary that is made anew, or a list in another order, fits the tables of a
    checkpoint, and gives their rows to other values. Runs that have noted nothing are not looked
    at.
    """
    try:
        before = json.loads((model_dir / VOCABULARIES_FILE).read_text())
    except (OSError, ValueError):
        return None
    if not isinstance(before, dict):
        return None
    found = _digests(features).items()
    return next((name for name, digest in found if before.get(name, digest) != digest), None)


def _digests(features: Iterable[Feature]) -> dict[str, str]:
    """By feature, what tells its vocabulary from others."""
    given = ((feature.name, getattr(feature, "vocabulary", None)) for feature in features)
    return {name: _digest(found) for name, found in given if isinstance(found, Vocabulary)}


def _digest(vocabulary: Vocabulary) -> str:
    ids = sorted(vocabulary.ids.items())
    return hashlib.sha256(to_json([vocabulary.unlisted, ids]).encode()).hexdigest()
