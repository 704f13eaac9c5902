"""The vocabularies that a run is trained with, saved so that later readers can compare them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from raymon.data import Feature, Vocabulary
from raymon.errors import RunError, os_reason
from raymon.storage import StoragePath, to_json, write_whole

VOCABULARIES_FILE = "vocabularies.json"


def save_vocabularies(model_dir: StoragePath, features: Iterable[Feature]) -> None:
    """Saves the digests of the vocabularies of a new run; no file if no feature has one.

    Raises:
        RunError: The directory cannot be written to.
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
        RunError: A vocabulary differs.
    """
    name = changed_vocabulary(model_dir, features)
    if name is not None:
        raise RunError(
            f"{model_dir}: the vocabulary of feature {name} is not the one that the run was "
            "trained with, so that values would have the ids of others; give it as it was"
        )


def changed_vocabulary(model_dir: StoragePath, features: Iterable[Feature]) -> str | None:
    """Returns the first feature whose vocabulary differs from that of a run; None if none does.

    A vocabulary file that was made again, or a list in another order, fits the tables of a
    checkpoint, but gives their rows to other values. Runs that saved no digests pass.
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
    """Returns the digest of the vocabulary of each feature that has one, by feature name."""
    given = ((feature.name, getattr(feature, "vocabulary", None)) for feature in features)
    return {name: _digest(found) for name, found in given if isinstance(found, Vocabulary)}


def _digest(vocabulary: Vocabulary) -> str:
    ids = sorted(vocabulary.ids.items())
    return hashlib.sha256(to_json([vocabulary.unlisted, ids]).encode()).hexdigest()
