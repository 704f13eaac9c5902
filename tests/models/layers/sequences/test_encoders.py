"""Encoders against their formulas, written row by row."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from google.protobuf import text_format
from torch import Tensor

from raymon.models.layers.sequences.pooling import Pooling
from raymon.models.layers.sequences.self_attention import SelfAttention
from raymon.models.layers.sequences.sequence_inputs import SequenceInputs
from raymon.models.layers.sequences.simple_attention import SimpleAttention
from raymon.models.layers.sequences.target_attention import TargetAttention
from raymon.models.layers.sequences.windows import WindowedAttention
from raymon.protos.layers_pb2 import MLP

LENGTHS = [3, 0, 1, 5, 0]
DIM = 4
ATTENTION = text_format.Parse('hidden_units: [6, 3] activation: "nn.Tanh"', MLP())


def inputs_of(query_dim: int, lengths: list[int] = LENGTHS, scale: float = 1.0) -> SequenceInputs:
    generator = torch.Generator().manual_seed(0)
    starts = torch.tensor(lengths).cumsum(0) - torch.tensor(lengths)
    return SequenceInputs(
        torch.randn(len(lengths), query_dim, generator=generator) * scale,
        (torch.randn(sum(lengths), DIM, generator=generator) * scale).requires_grad_(),
        starts,
        max(lengths),
    )


def rows_of(inputs: SequenceInputs) -> list[tuple[Tensor, Tensor]]:
    """Returns the query, filled up with zeros, and the positions of each row."""
    bounds = [*inputs.offsets.tolist(), len(inputs.sequence)]
    queries = F.pad(inputs.query, (0, DIM - inputs.query.shape[1]))
    return [
        (query, inputs.sequence[begin:end])
        for query, begin, end in zip(queries, bounds, bounds[1:], strict=False)
    ]


def check(found: Tensor, expected: list[Tensor], sequence: Tensor) -> None:
    """Checks outputs, and the gradients of the positions."""
    wanted = torch.stack(expected)
    torch.testing.assert_close(found, wanted)
    weights = torch.arange(found.numel()).view(found.shape).cos()
    (of_found,) = torch.autograd.grad((found * weights).sum(), sequence, retain_graph=True)
    (of_wanted,) = torch.autograd.grad((wanted * weights).sum(), sequence)
    torch.testing.assert_close(of_found, of_wanted)


@pytest.mark.parametrize(("query_dim", "most"), [(4, 0), (2, 0), (3, 2), (4, 9)])
def test_target_attention_is_a_softmax_of_an_mlp_of_query_and_positions(
    query_dim: int, most: int
) -> None:
    torch.manual_seed(1)
    encoder, inputs = TargetAttention(query_dim, DIM, ATTENTION, most), inputs_of(query_dim)
    one, _, two, _ = encoder.mlp.layers
    expected = []
    for query, positions in rows_of(inputs):
        kept = positions[: most or None]
        if not len(kept):
            expected.append(torch.zeros(DIM))
            continue
        scores = []
        for position in kept:
            pair = torch.cat([query, position, query - position, query * position])
            scores.append(encoder.linear(two(one(pair).tanh()).tanh()))
        expected.append((torch.cat(scores).softmax(0).unsqueeze(1) * kept).sum(0))
    check(encoder(inputs), expected, inputs.sequence)


@pytest.mark.parametrize("most", [0, 2])
def test_simple_attention_is_a_softmax_of_products(most: int) -> None:
    inputs = inputs_of(DIM)
    expected = [
        ((p[: most or None] @ q).softmax(0).unsqueeze(1) * p[: most or None]).sum(0)
        for q, p in rows_of(inputs)
    ]
    check(SimpleAttention(DIM, most)(inputs), expected, inputs.sequence)


@pytest.mark.parametrize("most", [0, 2])
@pytest.mark.parametrize("averages", [True, False])
def test_pooling_is_the_mean_or_the_sum_of_the_first_positions(averages: bool, most: int) -> None:
    inputs = inputs_of(0)
    expected = []
    for _, positions in rows_of(inputs):
        kept = positions[: most or None]
        expected.append(kept.sum(0) / (max(len(kept), 1) if averages else 1))
    check(Pooling(DIM, averages, most)(inputs), expected, inputs.sequence)


def test_windows_have_the_means_of_scored_positions_and_then_the_query() -> None:
    torch.manual_seed(2)
    encoder, inputs = WindowedAttention(3, DIM, ATTENTION, [1, 2, 1]), inputs_of(3)
    one, _, two, _ = encoder.mlp.layers
    expected = []
    for query, positions in rows_of(inputs):
        scored = []
        for position in positions:
            hidden = two(one(torch.cat([position, query * position, query])).tanh()).tanh()
            scored.append(encoder.activation(encoder.linear(hidden)) * position)
        windows = [scored[0:1], scored[1:3], scored[3:4]]
        zeros = torch.zeros(DIM)
        means = [torch.stack(each).mean(0) if each else zeros for each in windows]
        expected.append(torch.cat([*means, query]))
    check(encoder(inputs), expected, inputs.sequence)


@pytest.mark.parametrize("most", [0, 2])
def test_self_attention_is_the_mean_of_what_positions_take_from_each_other(most: int) -> None:
    torch.manual_seed(3)
    encoder, inputs = SelfAttention(DIM, 6, 2, max_seq_length=most), inputs_of(0)
    layers = encoder.query, encoder.key, encoder.value
    expected = []
    for _, positions in rows_of(inputs):
        kept = positions[: most or None]
        if not len(kept):
            expected.append(torch.zeros(6))
            continue
        mapped = [inner(f(kept)) for f, inner in zip(layers, encoder.inner, strict=True)]
        heads = []
        for query, key, value in zip(*(each.chunk(2, dim=1) for each in mapped), strict=True):
            heads.append((query @ key.T / 3**0.5).softmax(1) @ value)
        expected.append(encoder.output(torch.cat(heads, dim=1)).mean(0))
    check(encoder(inputs), expected, inputs.sequence)


@pytest.mark.parametrize("lengths", [[], [0, 0]])
def test_rows_without_positions_have_zeros_and_all_parameters_a_gradient(
    lengths: list[int],
) -> None:
    starts = torch.zeros(len(lengths), dtype=torch.int64)
    inputs = SequenceInputs(torch.ones(len(lengths), DIM), torch.zeros(0, DIM), starts, 0)
    for encoder in (
        TargetAttention(DIM, DIM, ATTENTION),
        WindowedAttention(DIM, DIM, ATTENTION, [2]),
        SelfAttention(DIM, 6, 2),
        Pooling(DIM, True),
        SimpleAttention(DIM),
    ):
        found = encoder(inputs)
        assert found.shape == (len(lengths), encoder.out_features)
        assert not found[:, :DIM].any()
        if list(encoder.parameters()):
            found.sum().backward()
        assert all(parameter.grad is not None for parameter in encoder.parameters())


def test_large_scores_do_not_overflow() -> None:
    inputs = inputs_of(DIM, scale=100.0)
    assert torch.isfinite(SimpleAttention(DIM)(inputs)).all()
