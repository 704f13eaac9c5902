from __future__ import annotations

import math

import pytest
import torch
from google.protobuf import text_format

from raymon.models.match.capsules import Capsules
from raymon.protos.match_model_pb2 import B2ICapsule


def capsules(more: str = "", features: int = 3) -> Capsules:
    text = f"max_k: 3 max_seq_len: 6 high_dim: 4 num_iters: 2 {more}"
    torch.manual_seed(0)
    return Capsules(features, text_format.Parse(text, B2ICapsule())).eval()


def routed(layer: Capsules, behaviours: torch.Tensor, kept: int, power: float = 1) -> torch.Tensor:
    """One user by algorithm 1, in loops: two iterations, of which the last one squashes."""
    mapped = [layer.bilinear.T @ e for e in behaviours]
    logits = [[layer.logits[i, j] for j in range(kept)] for i in range(len(mapped))]
    for last in (False, True):
        weights = []
        for row in logits:
            powers = [math.exp(20 * float(b)) for b in row]
            weights.append([p / sum(powers) for p in powers])
        z = [sum(w[j] * e for w, e in zip(weights, mapped, strict=True)) for j in range(kept)]
        if not last:
            logits = [
                [w[j] + z[j] @ (e / e.norm()) for j in range(kept)]
                for w, e in zip(weights, mapped, strict=True)
            ]
    squashed = [v * (v.norm() ** 2 / (1 + v.norm() ** 2)) ** power / v.norm() for v in z]
    return torch.stack([*squashed, *[torch.zeros(4)] * (3 - kept)])


@pytest.mark.parametrize(("length", "kept"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (6, 3)])
def test_interests_are_those_of_the_algorithm(length: int, kept: int) -> None:
    layer, behaviours = capsules("squash_pow: 0.5"), torch.randn(1, 6, 3)
    there = torch.arange(6)[None] < length
    found, mask = layer(behaviours * there.unsqueeze(2), there, torch.tensor([length]))
    assert mask.tolist() == [[place < kept for place in range(3)]]
    expected = routed(layer, behaviours[0, :length], kept, 0.5)
    torch.testing.assert_close(found[0], expected, atol=1e-5, rtol=1e-4)


def test_a_user_without_history_has_one_interest_of_length_0() -> None:
    layer = capsules()
    found, mask = layer(
        torch.zeros(1, 1, 3), torch.zeros(1, 1, dtype=torch.bool), torch.tensor([0])
    )
    assert mask.tolist() == [[True, False, False]]
    assert not found.any()
    found.sum().backward()
    assert layer.bilinear.grad is not None
    assert layer.bilinear.grad.isfinite().all()


def test_const_caps_num_gives_every_user_all_interests() -> None:
    layer = capsules("const_caps_num: true")
    _, mask = layer(torch.ones(2, 2, 3), torch.ones(2, 2, dtype=torch.bool), torch.tensor([1, 2]))
    assert mask.all()


def test_logits_are_drawn_anew_in_training_and_fixed_else() -> None:
    layer, given = capsules(), (torch.randn(2, 5, 3), torch.ones(2, 5, dtype=torch.bool))
    lengths = torch.tensor([5, 5])
    once = layer(*given, lengths)[0]
    torch.testing.assert_close(layer(*given, lengths)[0], once)
    layer.train()
    assert not torch.allclose(layer(*given, lengths)[0], layer(*given, lengths)[0])


def test_zeros_give_all_interests_of_a_user_alike() -> None:
    layer = capsules('routing_init_method: "zeros"')
    found, _ = layer(torch.randn(1, 6, 3), torch.ones(1, 6, dtype=torch.bool), torch.tensor([6]))
    torch.testing.assert_close(found[0, 0], found[0, 1])
