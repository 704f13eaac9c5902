from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from raymon.data import Batch
from raymon.errors import ConfigError
from raymon.models import Head, Model, RankingModel
from raymon.models.registry import MODELS
from raymon.protos.pipeline_pb2 import PipelineConfig
from raymon.training.prepare import build_meta_model
from tests.models.pipelines import DLRM, batch_of, features_of, model_of, pipeline

HERE = "tests.models.test_registry"


class Mean(RankingModel):
    """A model that predicts one number for all rows, scaled."""

    def __init__(self, *args: Any, scale: float, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.scale = scale
        self.head = Head(1, self.kinds, self.config.num_class)

    def predict(self, batch: Batch) -> dict[str, Tensor]:
        return self.head(self.scale * torch.ones(batch.size, 1))


class Half(Model):
    def loss(self, predictions: Mapping[str, Tensor], batch: Batch) -> dict[str, Tensor]:
        return {}


def custom(class_path: str, kwargs: str = "") -> PipelineConfig:
    groups = DLRM[: DLRM.index("dlrm {")]
    text = f'{groups} custom {{ class_path: "{class_path}" {kwargs} }}'
    return pipeline(text)


def test_a_custom_class_is_made_with_its_arguments() -> None:
    model = model_of(custom(f"{HERE}:Mean", 'kwargs { key: "scale" value: "3.5" }'))
    assert isinstance(model, Mean)
    assert model.scale == 3.5
    batch = batch_of(4)
    assert set(model.loss(model(batch), batch)) == {"binary_cross_entropy"}


@pytest.mark.parametrize(
    ("class_path", "kwargs", "message"),
    [
        ("nothing", "", 'class_path: "nothing" is no class; write "package.module:Class"'),
        ("no_such_module:A", "", "cannot be imported: No module named 'no_such_module'"),
        (f"{HERE}:Missing", "", f"{HERE} has no class Missing"),
        ("builtins:dict", "", "is not a subclass of raymon.models.Model"),
        (f"{HERE}:Half", "", "does not define predict"),
        (f"{HERE}:Mean", "", "missing a required .*argument: 'scale'"),
        (f"{HERE}:Mean", 'kwargs { key: "scale" value: "x" }', r"kwargs\.scale: 'x' is not JSON"),
    ],
)
def test_a_class_that_cannot_be_used_is_refused_in_one_line(
    class_path: str, kwargs: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message) as caught:
        model_of(custom(class_path, kwargs))
    assert "\n" not in str(caught.value)


def test_a_module_that_ends_the_program_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a_script_of_theirs.py").write_text("import sys\nsys.exit(4)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ConfigError, match=r"cannot be imported: .*theirs\.py:2: SystemExit: 4"):
        model_of(custom("a_script_of_theirs:Model", ""))


def test_a_pipeline_without_a_model_is_refused() -> None:
    kinds = ", ".join(MODELS)
    with pytest.raises(ConfigError, match=f"has no model; give one of {kinds}, custom"):
        model_of(pipeline(""))


class Broken(Mean):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, scale=1.0, **kwargs)
        self.width = self.config.no_such_field


def test_a_constructor_that_raises_is_reported_with_the_line_where_it_does() -> None:
    line = inspect.getsourcelines(Broken.__init__)[1] + 2
    with pytest.raises(ConfigError) as caught:
        model_of(custom(f"{HERE}:Broken"))
    assert str(caught.value) == (
        f'model_config.custom.class_path: "{HERE}:Broken" cannot be made: '
        f"{__file__}:{line}: AttributeError: no_such_field"
    )


class OfNumbers(Mean):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args, scale=sum(torch.linspace(0, 1, 3).tolist()))


def test_a_constructor_may_compute_with_numbers() -> None:
    config = custom(f"{HERE}:OfNumbers")
    model = build_meta_model(config, features_of(config))
    assert isinstance(model, OfNumbers)
    assert model.scale == 1.5
    # Others take no memory for their tables.
    assert next(build_meta_model(pipeline(), features_of(pipeline())).parameters()).is_meta
