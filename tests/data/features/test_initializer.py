from __future__ import annotations

import inspect
import re
from typing import Any

import pytest
import torch
from torch import nn

from raymon.data.features.initializer import INITIALIZERS, Initializer, parse_initializer

NOT_OF_A_CONFIG = ("tensor", "generator")


@pytest.mark.parametrize("name", INITIALIZERS)
def test_arguments_and_defaults_are_those_of_torch(name: str) -> None:
    parameters = inspect.signature(getattr(nn.init, name)).parameters
    theirs = {
        key: None if parameter.default is inspect.Parameter.empty else parameter.default
        for key, parameter in parameters.items()
        if key not in NOT_OF_A_CONFIG
    }
    assert INITIALIZERS[name] == theirs
    assert list(INITIALIZERS[name]) == list(theirs)


@pytest.mark.parametrize("prefix", ["", "nn.init.", "torch.nn.init.", "init."])
def test_an_initializer_has_all_its_arguments(prefix: str) -> None:
    parsed = parse_initializer(f"{prefix}trunc_normal_, std=0.5 ,a = -1e-1")
    expected = (("mean", 0.0), ("std", 0.5), ("a", -0.1), ("b", 2.0))
    assert parsed == Initializer("trunc_normal_", expected)
    assert str(parsed) == "nn.init.trunc_normal_,mean=0.0,std=0.5,a=-0.1,b=2.0"
    assert parse_initializer(str(parsed)) == parsed


@pytest.mark.parametrize("quote", ["", "'", '"'])
def test_words_may_be_in_quotes(quote: str) -> None:
    parsed = parse_initializer(f"kaiming_normal_,mode={quote}fan_out{quote},nonlinearity=relu")
    assert (parsed.word("mode"), parsed.word("nonlinearity"), parsed["a"]) == ("fan_out", "relu", 0)


@pytest.mark.parametrize("word", ["leaky_relu", "linear", "relu", "selu", "sigmoid", "tanh"])
def test_nonlinearities_are_those_whose_gain_torch_has(word: str) -> None:
    parse_initializer(f"kaiming_uniform_,nonlinearity={word}")
    gain: Any = torch.nn.init.calculate_gain
    assert gain(word) > 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nn.init.unifrom_,a=1", 'unknown initializer "unifrom_"; did you mean "uniform_"?'),
        ("eye_", 'unknown initializer "eye_"; there are uniform_, normal_'),
        ("", 'unknown initializer ""; there are uniform_'),
        ("uniform_,c=1", 'unknown argument of uniform_ "c"; there are a, b'),
        ("normal_,sdt=1", 'unknown argument of normal_ "sdt"; did you mean "std"?'),
        ("zeros_,a=1", 'unknown argument of zeros_ "a"; there are none'),
        ("uniform_,-1,1", '"-1" in "uniform_,-1,1" has no name; write arguments as in'),
        ("uniform_,a=0,a=1", 'gives a twice'),
        ("uniform_,a=__import__('os')", "a is __import__('os'); must be a finite number"),
        ("uniform_,a=nan", "a is nan; must be a finite number"),
        ("uniform_,b=", "b is empty; must be a finite number"),
        ("uniform_,a=1,b=1", "a is 1 and b is 1; a must be below b"),
        ("normal_,std=0", "std is 0; must be above 0"),
        ("trunc_normal_,std=0.1,a=1", "[a, b] is [1, 2], where a normal distribution of mean"),
        ("constant_", 'constant_ needs val; write "nn.init.constant_,val=0.01"'),
        ("kaiming_normal_,mode=fan", "mode is fan; must be one of fan_in, fan_out"),
    ],
)  # fmt: skip
def test_what_is_no_initializer_is_said(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        parse_initializer(text)
