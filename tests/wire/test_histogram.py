import math

import numpy as np
import pytest
import torch

from raymon.wire.histogram import EDGES, HistogramCounter, encode_histogram


def test_counts_are_those_of_numpy() -> None:
    values = torch.randn(10_000, generator=torch.Generator().manual_seed(0))
    counted = HistogramCounter(torch.device("cpu")).count(values)
    expected, _ = np.histogram(values.double().numpy(), bins=np.array(EDGES))
    # numpy's buckets are [a, b), these are (a, b]; no value lies on an edge here.
    assert counted["counts"][1:-1].tolist() == expected.tolist()
    assert counted["counts"].sum() == 10_000


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16])
def test_every_value_is_in_the_bucket_that_a_search_finds(dtype: torch.dtype) -> None:
    edges = torch.tensor(EDGES, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    signs = torch.randn(200_000, generator=generator, dtype=torch.float64).sign()
    sizes = torch.randn(200_000, generator=generator, dtype=torch.float64).mul(20).exp()
    special = [0.0, -0.0, 5e-324, -5e-324, 1e308, -1e308, math.inf, -math.inf, math.nan, -math.nan]
    values = torch.cat(
        [
            edges,
            edges.nextafter(torch.tensor(math.inf, dtype=torch.float64)),
            edges.nextafter(torch.tensor(-math.inf, dtype=torch.float64)),
            torch.tensor(special, dtype=torch.float64),
            signs * sizes,
        ]
    ).to(dtype)
    counts = HistogramCounter(torch.device("cpu")).count(values)["counts"]
    found = torch.bucketize(values.double(), edges)
    assert torch.equal(counts, torch.bincount(found, minlength=len(EDGES) + 1))


def test_moments_are_those_of_all_parts() -> None:
    values = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    moments = HistogramCounter(torch.device("cpu")).count(values)["moments"].tolist()
    whole = values.double()
    expected = [whole.min(), whole.max(), whole.sum(), whole.square().sum()]
    assert moments == pytest.approx([float(moment) for moment in expected])


def test_the_message_has_moments_and_only_the_buckets_between_first_and_last() -> None:
    values = torch.tensor([[-2.0, 0.5], [0.5, 3.0]])
    message = encode_histogram("w", **HistogramCounter(torch.device("cpu")).count(values))
    assert (message.minimum, message.maximum) == (-2.0, 3.0)
    assert message.sum == pytest.approx(2.0)
    assert message.sum_squares == pytest.approx(13.5)
    assert sum(message.counts) == 4
    assert message.counts[0] > 0
    assert message.counts[-1] > 0
    assert len(message.edges) == len(message.counts) + 1
    assert (message.edges[0], message.edges[-1]) == (-2.0, 3.0)


def test_zeros_fill_one_bucket() -> None:
    message = encode_histogram("w", **HistogramCounter(torch.device("cpu")).count(torch.zeros(7)))
    assert list(message.counts) == [7]


@pytest.mark.parametrize("size", [0, 3, 100_000])
def test_zeros_that_are_only_a_number_count_as_those_that_are_there(size: int) -> None:
    values = torch.randn(size, generator=torch.Generator().manual_seed(0))
    counter = HistogramCounter(torch.device("cpu"))
    found = counter.count(values, zeros=70)
    expected = counter.count(torch.cat([values, torch.zeros(70)]))
    assert torch.equal(found["counts"], expected["counts"])
    torch.testing.assert_close(found["moments"], expected["moments"])
