"""Scalars that the user logs, from a call to the message of a window."""

import math

import numpy as np
import pytest
import torch

from raymon.protos.report_pb2 import WindowReport
from raymon.recorder import LoggedScalars, encode_window
from raymon.recorder import logged_scalars as module
from raymon.wire import decode_scalars
from tests.recorder.test_recorder import Taken, make_recorder, take_steps


@pytest.fixture
def errors() -> list[str]:
    return []


@pytest.fixture
def scalars(errors: list[str]) -> LoggedScalars:
    return LoggedScalars(lambda error: errors.append(str(error)))


def values(scalars: LoggedScalars) -> dict[str, float]:
    return {name: total.value for (name, _), total in scalars.take().wait().items()}


@pytest.mark.parametrize(
    "value",
    [
        2,
        2.0,
        np.float32(2.0),
        np.array([2.0]),
        torch.tensor(2),
        torch.tensor([[2.0]], dtype=torch.bfloat16),
        torch.tensor(2.0, requires_grad=True),
        torch.nn.Parameter(torch.tensor(2.0, dtype=torch.float64)),
    ],
)
def test_numbers_of_all_kinds_are_numbers(
    value: object, scalars: LoggedScalars, errors: list[str]
) -> None:
    scalars.add({"x": value, "half": True})
    assert values(scalars) == {"x": 2.0, "half": 1.0}
    assert errors == []


def test_what_is_written_to_later_has_the_value_that_it_had(scalars: LoggedScalars) -> None:
    running = torch.tensor(1.0)
    for _ in range(3):
        scalars.add({"running": running})
        running += 1
    assert values(scalars) == {"running": 2.0}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"x": "low"}, "scalar x is 'low'; give a number, or a tensor of one"),
        ({"x": None}, "scalar x is None; give a number"),
        ({"x": torch.ones(3)}, "scalar x has shape [3] of torch.float32; give one real number"),
        ({"x": torch.tensor(1j)}, "of torch.complex64; give one real number"),
        ({"x": np.ones(2)}, "scalar x is array([1., 1.]); give a number"),
        ({"a b": 1.0}, "scalar 'a b': no line can show this name"),
        ({"": 1.0}, "a name is a text of 1 to 200 characters"),
        ({3: 1.0}, "scalar 3: a name is a text"),
        (torch.tensor(1.0), "a Tensor is no mapping of values; give them by name"),
    ],
)
def test_a_wrong_value_costs_only_itself(
    wrong: object, said: str, scalars: LoggedScalars, errors: list[str]
) -> None:
    scalars.add(wrong)
    scalars.add({"right": 1.0})
    assert values(scalars) == {"right": 1.0}
    assert len(errors) == 1
    assert said in errors[0]
    assert "\n" not in errors[0]


def test_a_name_has_one_reduction(scalars: LoggedScalars, errors: list[str]) -> None:
    scalars.add({"x": 1.0}, "max")
    scalars.add({"x": 5.0}, "sum")
    scalars.add({"x": 2.0}, "max")
    scalars.add({"y": 2.0}, "median")
    assert values(scalars) == {"x": 2.0}
    assert errors == [
        'scalar x is logged with reduce="sum", and was with "max", which alone counts; give one of '
        "them another name",
        'log: reduce is \'median\'; it must be one of "mean", "sum", "min", "max"',
    ]


def test_a_value_that_needs_other_ranks_is_not_waited_for(
    scalars: LoggedScalars, errors: list[str]
) -> None:
    class Sharded(torch.Tensor):
        def full_tensor(self) -> torch.Tensor:
            raise AssertionError("it waits for other ranks")

    scalars.add({"norm": torch.tensor(1.0).as_subclass(Sharded)})
    assert values(scalars) == {}
    assert "scalar norm is a DTensor, whose value waits for other ranks" in errors[0]


def test_names_do_not_grow_without_end(
    scalars: LoggedScalars, errors: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_NAMES", 3)
    scalars.add({f"step{i}": float(i) for i in range(5)})
    assert len(values(scalars)) == 3
    assert errors == ["scalars of more than 3 names; further ones are left out"] * 2


def sent(taken: Taken) -> list[dict[str, float]]:
    messages: list[WindowReport] = [encode_window(window) for window in taken.windows]
    return [
        {name: total.value for (name, _), total in decode_scalars(m.scalars).items()}
        for m in messages
    ]


def test_a_window_has_what_was_logged_for_its_steps(scalars: LoggedScalars) -> None:
    taken = Taken()
    recorder = make_recorder(taken, scalars=scalars)
    for step in range(20):
        scalars.add({"step": step})
        scalars.add({"last": step, "bad": math.nan}, "max")
        take_steps(recorder, 1)
    assert [{k: v for k, v in each.items() if k != "bad"} for each in sent(taken)] == [
        {"step": 4.5, "last": 9.0},
        {"step": 14.5, "last": 19.0},
    ]
    assert all(math.isnan(each["bad"]) for each in sent(taken))


def test_what_is_logged_between_a_step_and_its_checkpoint_is_of_the_next_step(
    scalars: LoggedScalars,
) -> None:
    taken = Taken()
    recorder = make_recorder(taken, scalars=scalars)
    take_steps(recorder, 10)
    scalars.add({"x": 1.0})
    recorder.cut(checkpoint=True)
    take_steps(recorder, 10)
    assert sent(taken) == [{}, {}, {"x": 1.0}]


def test_what_is_logged_after_the_last_step_is_said_to_be_in_no_number(
    scalars: LoggedScalars, caplog: pytest.LogCaptureFixture
) -> None:
    recorder = make_recorder(Taken(), scalars=scalars)
    take_steps(recorder, 10)
    scalars.add({"x": 1.0})
    recorder.cut(last=True)
    assert recorder.failures == 1
    assert "scalars logged after the last step are in no number: x" in caplog.text
