from __future__ import annotations

import re

import pyarrow as pa
import pytest
from google.protobuf import text_format

from raymon.data import AdmissionFilter, Feature, Growth, IdList, build_features
from raymon.data.features.encoding import Encoding
from raymon.data.features.growth import parse_filter
from raymon.data.features.initializer import parse_initializer
from raymon.data.values.hashing import combine_hashes, hash_strings, hash_values
from raymon.errors import ConfigError, DataError
from raymon.protos import feature_pb2

ID = 'id_feature { feature_name: "f" expression: "user:c" embedding_dim: 4 '
COMBO = 'combo_feature { feature_name: "f" expression: ["user:a", "item:b"] embedding_dim: 4 '


def feature(text: str, encoding: Encoding | None = None) -> Feature:
    config = text_format.Parse(text + "}", feature_pb2.FeatureConfig())
    return build_features([config], encoding)[0]


@pytest.mark.parametrize(
    ("text", "growth"),
    [
        ("lfu {}", Growth(5, "lfu")),
        ("lru {} eviction_interval: 2", Growth(2, "lru")),
        ("distance_lfu { decay_exponent: 0.5 }", Growth(5, "distance_lfu", 0.5)),
        (
            'lfu {} threshold_filtering_func: "lambda x: (x > 10, 10)"',
            Growth(5, "lfu", 1.0, AdmissionFilter(">", 10)),
        ),
    ],
)
def test_a_table_grows_as_its_block_says(text: str, growth: Growth) -> None:
    for kind in (ID, COMBO):
        spec = feature(kind + f"zch {{ zch_size: 9 {text} }}").embedding
        assert spec is not None
        assert (spec.num_embeddings, spec.growth) == (9, growth)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lambda x: (x > 10, 10)", AdmissionFilter(">", 10)),
        (" lambda x : (x>=1.5,1.5) ", AdmissionFilter(">=", 1.5)),
        ("lambda x: (x != -3, -3)", AdmissionFilter("!=", -3)),
        ("lambda x: dynamic_threshold_filter(x, 1.0)", AdmissionFilter("dynamic", 1)),
        ("lambda x: dynamic_threshold_filter(x)", AdmissionFilter("dynamic", 10)),
        (
            "lambda x: dynamic_threshold_filter(x, threshold_skew_multiplier=2)",
            AdmissionFilter("dynamic", 2),
        ),
        ("lambda x: average_threshold_filter(x)", AdmissionFilter("dynamic", 1)),
        ("lambda x: probabilistic_threshold_filter(x)", AdmissionFilter("probabilistic", 0.01)),
        ("lambda x: probabilistic_threshold_filter(x, 0.5)", AdmissionFilter("probabilistic", 0.5)),
    ],
)
def test_a_filter_is_read(text: str, expected: AdmissionFilter) -> None:
    assert parse_filter(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x > 10",
        "lambda: 1",
        "lambda x, y: (x > 1, 1)",
        "lambda x=1: (x > 1, 1)",
        "lambda y: (y > 1, 1)",
        "lambda x: x > 10",
        "lambda x: (x > 10)",
        "lambda x: (1 < x, 1)",
        "lambda x: (1 < x < 3, 1)",
        "lambda x: (x > True, True)",
        "lambda x: (x > 1e999, 1e999)",
        "lambda x: (x > __import__('os').getpid(), 1)",
        "lambda x: (x.float() > 1, 1)",
        "lambda x: average_threshold_filter(x, 1)",
        "lambda x: dynamic_threshold_filter(1.0, x)",
        "lambda x: dynamic_threshold_filter(x, 1.0, 2.0)",
        "lambda x: dynamic_threshold_filter(x, other=1.0)",
        "lambda x: dynamic_threshold_filter(x, *[1.0])",
        "lambda x: dynamic_threshold_filter(x, **{})",
        "lambda x: exec(x)",
        "lambda x: (x in [1], 1)",
        "(" * 500 + "lambda x: (x > 1, 1)" + ")" * 500,
        "\0",
    ],
)
def test_what_is_no_filter_is_refused_and_not_run(text: str) -> None:
    with pytest.raises(ValueError, match="is no filter that is known, and is not run; use"):
        parse_filter(text)


def test_the_threshold_of_a_comparison_is_its_number() -> None:
    with pytest.raises(ValueError, match=re.escape('as in "lambda x: (x > 10, 10)"')):
        parse_filter("lambda x: (x > 10, 9)")


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("zch_size: 0 lfu {}", "zch.zch_size: is 0; must be at least 2"),
        ("zch_size: 1 lfu {}", "zch.zch_size: is 1; must be at least 2"),
        ("zch_size: 9223372036854775808 lfu {}", "zch.zch_size: is 9223372036854775808; must"),
        ("zch_size: 9", "zch: has no eviction policy; give exactly one of lfu, lru and"),
        ("zch_size: 9 lfu {} eviction_interval: 0", "zch.eviction_interval: is 0; must be"),
        ("zch_size: 9 lru { decay_exponent: 0 }", "zch.lru.decay_exponent: is 0; must be above 0"),
        ("zch_size: 9 lru { decay_exponent: nan }", "zch.lru.decay_exponent: is nan; must be"),
        (
            'zch_size: 9 lfu {} threshold_filtering_func: "lambda x: probabilistic_threshold_filter'
            '(x, 2)"',
            "zch.threshold_filtering_func: .* 2 is no probability; give one from 0 to 1",
        ),
    ],
)
def test_a_wrong_block_is_reported_by_its_field(block: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"feature_configs\[0\].id_feature.{message}"):
        feature(ID + f"zch {{ {block} }}")


def test_features_that_share_a_table_grow_alike() -> None:
    texts = [
        ID.replace('"f"', f'"{name}"') + f'embedding_name: "t" zch {{ zch_size: 9 {policy} }} }}'
        for name, policy in (("a", "lfu {}"), ("b", "lru {}"))
    ]
    configs = [text_format.Parse(text, feature_pb2.FeatureConfig()) for text in texts]
    with pytest.raises(ConfigError, match=r'\[1\].id_feature.zch: table "t" grows otherwise in'):
        build_features(configs)


ZCH = "zch { zch_size: 9 lfu {} } "


def ids(converted: object) -> list[int]:
    assert isinstance(converted, IdList)
    return [int(value) for value in converted.values]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0, 7, 2**63 - 1]),
        pa.array([0, 7, 2**63 - 1], pa.uint64()),
        pa.array(["0", "7", str(2**63 - 1)]),
        pa.array(["0", "7", str(2**63 - 1)]).dictionary_encode(),
    ],
)
def test_integers_are_ids_as_they_are(column: pa.Array) -> None:
    expected = [0, 7, 2**63 - 1]
    assert ids(feature(ID + ZCH).convert(column)) == expected
    encoded = feature(ID + ZCH, Encoding())
    assert ids(encoded.convert(column)) == expected


def test_other_texts_are_63_bits_of_their_hash() -> None:
    texts = pa.array(["a", "007", str(2**64), "7"])
    hashes = [int(h) >> 1 for h in hash_strings(texts)]
    assert ids(feature(ID + ZCH).convert(texts)) == [*hashes[:3], 7]


def test_a_combination_is_63_bits_of_its_hash() -> None:
    a, b = pa.array(["x", "y"]), pa.array([3, 4])
    expected = [int(h) >> 1 for h in combine_hashes([hash_values(a), hash_values(b)])]
    assert ids(feature(COMBO + ZCH).convert(a, b)) == expected


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pa.array([3, -5]), -5),
        (pa.array(["-5"]), -5),
        (pa.array([1, 2**63], pa.uint64()), 2**63),
        (pa.array(["a", str(2**64 - 1)]), 2**64 - 1),
        (pa.array([-1.0, float("nan")]), -1),
    ],
)
def test_a_number_that_is_no_id_is_refused(column: pa.Array, value: int) -> None:
    with pytest.raises(DataError, match=rf"feature f, column c: value {value} is no id of a table"):
        feature(ID + ZCH).convert(column)
    with pytest.raises(DataError, match=r"column f: value .* is not (in \[0, 2\^63\)|an integer)"):
        feature(ID + ZCH, Encoding()).convert(column)


def test_a_default_that_is_no_id_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"id_feature\.default_value: -5 is no id of a table"):
        feature(ID + ZCH + 'default_value: "-5"')
    with pytest.raises(ConfigError, match="fg_encoded_default_value"):
        feature(ID + ZCH + 'fg_encoded_default_value: "-5"', Encoding())


@pytest.mark.parametrize(
    ("text", "growth"),
    [
        ("", Growth(1, "lru")),
        ('score_strategy: "TIMESTAMP"', Growth(1, "lru")),
        ('score_strategy: "LFU"', Growth(1, "lfu")),
        ('score_strategy: "NO_EVICTION"', Growth(1, "first")),
        (
            "probabilistic_admission_strategy { probability: 0.5 }",
            Growth(1, "lru", 1.0, AdmissionFilter("probabilistic", 0.5)),
        ),
        (
            "frequency_admission_strategy { threshold: 5 }",
            Growth(1, "lru", 1.0, AdmissionFilter("frequency", 5, 100)),
        ),
        (
            "frequency_admission_strategy { threshold: 5 counter_capacity: 7 }",
            Growth(1, "lru", 1.0, AdmissionFilter("frequency", 5, 7)),
        ),
    ],
)
def test_dynamicemb_means_the_same_by_the_same_engine(text: str, growth: Growth) -> None:
    for kind in (ID, COMBO):
        spec = feature(kind + f"dynamicemb {{ max_capacity: 100 {text} }}").embedding
        assert spec is not None
        assert (spec.num_embeddings, spec.growth, spec.init_fn) == (101, growth, None)


@pytest.mark.parametrize(
    ("text", "initializer"),
    [
        ("", "uniform_,a=-0.1,b=0.1"),
        ("lower: -2 upper: 3", "uniform_,a=-2,b=3"),
        ('mode: "NORMAL" mean: 1', "normal_,mean=1,std=0.5"),
        ('mode: "NORMAL" std_dev: 0.05', "normal_,std=0.05"),
        ('mode: "TRUNCATED_NORMAL"', "trunc_normal_,std=0.5,a=-0.1,b=0.1"),
        ('mode: "CONSTANT" value: 0.5', "constant_,val=0.5"),
    ],
)
def test_initial_values_are_those_of_their_names(text: str, initializer: str) -> None:
    block = f"dynamicemb {{ max_capacity: 100 initializer_args {{ {text} }} }}"
    spec = feature(ID + block).embedding
    assert spec is not None
    assert spec.init_fn == parse_initializer(initializer)


@pytest.mark.parametrize(
    ("block", "message"),
    [
        ("max_capacity: 0", r"dynamicemb\.max_capacity: is 0; must be at least 1"),
        (
            'max_capacity: 9 score_strategy: "CUSTOMIZED"',
            r'dynamicemb\.score_strategy: is "CUSTOMIZED"; must be STEP, TIMESTAMP, LFU',
        ),
        (
            "max_capacity: 9 probabilistic_admission_strategy { probability: 1.5 }",
            r"probabilistic_admission_strategy\.probability: is 1\.5; must be from 0 to 1",
        ),
        (
            "max_capacity: 9 frequency_admission_strategy { threshold: 0 }",
            r"dynamicemb\.frequency_admission_strategy\.threshold: is 0; must be at least 1",
        ),
        (
            'max_capacity: 9 initializer_args { mode: "LAPLACE" }',
            r'dynamicemb\.initializer_args\.mode: is "LAPLACE"; must be one of UNIFORM, NORMAL',
        ),
        (
            "max_capacity: 9 initializer_args { lower: 2 upper: 1 }",
            r"dynamicemb\.initializer_args: a is 2 and b is 1; a must be below b",
        ),
    ],
)
def test_a_wrong_dynamicemb_is_reported_by_its_field(block: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        feature(ID + f"dynamicemb {{ {block} }}")


def test_one_way_of_growing_and_of_initial_values_is_given() -> None:
    with pytest.raises(ConfigError, match="has zch and dynamicemb; give exactly one of"):
        feature(ID + ZCH + "dynamicemb { max_capacity: 9 }")
    both = 'init_fn: "zeros_" dynamicemb { max_capacity: 9 initializer_args {} }'
    with pytest.raises(ConfigError, match="init_fn: is given beside"):
        feature(ID + both)
