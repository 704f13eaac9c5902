import pytest
import torch
from sklearn.metrics import roc_auc_score

from raymon.metrics import AUC, DecayAUC, TrainMetricWrapper, compute_states
from raymon.recorder import Recorder, Window


class Taken:
    """Takes windows in place of the outbox."""

    dropped = 0

    def __init__(self) -> None:
        self.windows: list[Window] = []

    def put(self, window: Window) -> None:
        self.windows.append(window)

    def work(self, work) -> None:
        work()


def make_recorder(taken: Taken, metrics=None, update=lambda predictions, batch: None, **kwargs):
    return Recorder(
        attempt=1,
        rank=0,
        metrics=metrics or {},
        update_train_metric=update,
        outbox=taken,
        device=torch.device("cpu"),
        **{"log_step_count_steps": 10, **kwargs},
    )


def take_steps(recorder: Recorder, steps: int) -> None:
    for _ in range(steps):
        loss = {"bce": torch.tensor(0.5)}
        recorder.step(loss, None, None, samples=8, weights=8.0, epoch=0, learning_rates=[0.1])


def test_windows_are_cut_at_log_steps_and_at_decay_steps() -> None:
    taken = Taken()
    wrapper = TrainMetricWrapper(DecayAUC(), decay_step=25)
    take_steps(make_recorder(taken, {"auc": wrapper}), 50)
    assert [(w.first_step, w.end_step) for w in taken.windows] == [
        (0, 10), (10, 20), (20, 25), (25, 30), (30, 40), (40, 50),
    ]  # fmt: skip
    assert [w.index for w in taken.windows] == list(range(6))


def test_a_checkpoint_cuts_a_window_even_without_steps() -> None:
    taken = Taken()
    recorder = make_recorder(taken)
    take_steps(recorder, 10)
    recorder.cut(checkpoint=True)
    assert [(w.first_step, w.end_step, w.checkpoint) for w in taken.windows] == [
        (0, 10, False),
        (10, 10, True),
    ]


def test_cuts_go_on_where_a_restored_run_left_off() -> None:
    taken = Taken()
    take_steps(make_recorder(taken, first_step=17), 5)
    assert [(w.first_step, w.end_step) for w in taken.windows] == [(17, 20)]


def test_a_window_has_the_samples_and_losses_of_its_steps_alone() -> None:
    taken = Taken()
    take_steps(make_recorder(taken), 20)
    for window in taken.windows:
        assert window.samples == 80
        assert window.losses["bce"].wait().tolist() == [0.5] * 10


def test_metric_states_of_all_windows_make_the_metric_of_all_samples() -> None:
    generator = torch.Generator().manual_seed(1)
    scores = torch.rand(30, 16, generator=generator)
    labels = (torch.rand(30, 16, generator=generator) < scores).float()
    wrapper = TrainMetricWrapper(DecayAUC())
    taken = Taken()
    recorder = make_recorder(taken, {"auc": wrapper}, lambda p, b: wrapper.update(p, b))
    for step in range(30):
        recorder.step({}, scores[step], labels[step], samples=16, weights=16.0)
    states = [window.metrics["auc"].wait() for window in taken.windows]
    total = sum(state["histogram"] for state in states)
    value = compute_states(AUC(), {"histogram": total}).value.item()
    assert value == pytest.approx(roc_auc_score(labels.ravel(), scores.ravel()), abs=1e-4)


def test_a_metric_that_fails_is_counted_and_training_goes_on() -> None:
    def fail(predictions: object, batch: object) -> None:
        raise RuntimeError("a metric of the user")

    taken = Taken()
    recorder = make_recorder(taken, update=fail)
    take_steps(recorder, 10)
    assert recorder.failures == 10
    assert taken.windows[0].samples == 80


def test_an_outbox_that_fails_is_counted_and_training_goes_on() -> None:
    class Broken(Taken):
        def put(self, window: Window) -> None:
            raise MemoryError

    recorder = make_recorder(Broken())
    take_steps(recorder, 20)
    assert recorder.failures == 2


def test_a_step_without_rows_updates_no_metric() -> None:
    updated: list[object] = []
    recorder = make_recorder(Taken(), update=lambda predictions, batch: updated.append(batch))
    for rows in (8, 0, 8):
        loss = {"bce": torch.tensor(0.0)}
        recorder.step(loss, None, rows, samples=rows, weights=float(rows))
    assert updated == [8, 8]
    assert recorder.failures == 0
