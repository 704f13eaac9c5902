import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from raymon.metrics import AUC, PRAUC, BinnedXAUC, DecayAUC
from raymon.metrics.decay.states import compute_states, window_states
from raymon.metrics.numerics.ordered_sum import ordered_sum


@given(st.lists(st.floats(-1e6, 1e6), max_size=50))
def test_it_is_the_sum_in_order(values: list[float]) -> None:
    total = 0.0
    for value in values:
        total += value
    assert ordered_sum(torch.tensor(values, dtype=torch.float64)).item() == total


@pytest.fixture
def threads():
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


@pytest.mark.parametrize("metric", [AUC(), PRAUC(), BinnedXAUC()])
def test_counts_give_the_same_value_on_any_number_of_threads(metric, threads) -> None:
    generator = torch.Generator().manual_seed(0)
    scores = torch.rand(200_000, generator=generator)
    labels = (torch.rand(200_000, generator=generator) < scores).float()
    # Weights whose products need more bits than a real has.
    metric.update(scores, labels, torch.rand(200_000, generator=generator))
    states, found = window_states(metric), set()
    for count in (1, 2, 3, 4):
        threads(count)
        computed = compute_states(metric, states)
        assert computed.error_bound is not None
        found.add((computed.value.item(), computed.error_bound.item()))
    assert len(found) == 1


def test_a_decayed_histogram_gives_the_same_value_on_any_number_of_threads(threads) -> None:
    found = set()
    for count in (1, 2, 3, 4):
        threads(count)
        metric, generator = DecayAUC(), torch.Generator().manual_seed(0)
        for _ in range(4):
            scores = torch.rand(50_000, generator=generator)
            labels = (torch.rand(50_000, generator=generator) < scores).float()
            metric.update(scores, labels, torch.rand(50_000, generator=generator))
            metric.decay(0.9)
        found.add(metric.compute().item())
    assert len(found) == 1
