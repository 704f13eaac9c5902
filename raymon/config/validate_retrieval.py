"""Checks of models of retrieval: their towers, and where their candidates come from."""

from __future__ import annotations

from raymon.config.retrieval import RETRIEVAL, retrieval_settings
from raymon.config.rules import Rules
from raymon.protos.match_model_pb2 import DAT, MIND, MINDUserTower, Similarity
from raymon.protos.pipeline_pb2 import PipelineConfig

METRICS = ("recall_at_k",)
"""Metrics of candidates of which one is right."""


def validate_retrieval(config: PipelineConfig, rules: Rules) -> None:
    """Checks what all models of retrieval have, but for their MLPs and groups.

    Args:
        config: Config of the pipeline.
        rules: Rules of its `model_config`.

    Raises:
        ConfigError: Something is wrong; the message has the first such thing.
    """
    model = config.model_config
    settings, own = retrieval_settings(model), rules.inner(str(model.WhichOneof("model")))
    rules.require(
        model.num_class == 1,
        "num_class",
        f"is {model.num_class}; a model of retrieval scores candidates, not classes: leave it out",
    )
    own.require(
        settings.similarity != Similarity.EUCLID,
        "similarity",
        "raymon does not have EUCLID; other systems compute the inner product for it: "
        "INNER_PRODUCT trains the same",
    )
    own.positive("temperature")
    if isinstance(settings, DAT):
        own.at_least(0, "amm_i_weight", "amm_u_weight")
    if isinstance(settings, MIND):
        own.positive("simi_pow")
        user = own.inner("user_tower")
        why = "the vector of the user and each interest are concatenated"
        user.warn(user.has("user_seq_combine"), "user_seq_combine", why)
        capsules = user.inner("capsule_config")
        capsules.positive("routing_logits_scale", "squash_pow")
        capsules.at_least(0, "routing_logits_stddev")
        capsules.one_of("routing_init_method", ("normal", "zeros"))
    _validate_lengths(config, own)
    own.require(
        settings.in_batch_negative or config.data_config.WhichOneof("sampler") is not None,
        "",
        "has no negatives; set in_batch_negative: true, or give data_config a negative_sampler",
    )
    for index, loss in enumerate(model.losses):
        place, kind = f"losses[{index}]", loss.WhichOneof("loss")
        rules.require(
            kind in (None, "softmax_cross_entropy"),
            place,
            f"is {kind}; {_names()} take softmax_cross_entropy alone",
        )
        rules.require(
            loss.softmax_cross_entropy.label_smoothing == 0,
            f"{place}.softmax_cross_entropy.label_smoothing",
            f"{_names()} do not smooth which candidate is right; leave it out",
        )

    for listed in ("metrics", "train_metrics"):
        for index, metric in enumerate(getattr(model, listed)):
            kind = metric.WhichOneof("metric")
            rules.require(
                kind in (None, *METRICS),
                f"{listed}[{index}]",
                f"is {kind}; {_names()} have {' and '.join(METRICS)} alone",
            )


def _validate_lengths(config: PipelineConfig, own: Rules) -> None:
    settings = retrieval_settings(config.model_config)
    if settings.output_dim:
        return
    user = settings.user_tower
    of_user = user.mlp if not isinstance(user, MINDUserTower) else user.concat_mlp
    ends = [list(mlp.hidden_units)[-1:] for mlp in (of_user, settings.item_tower.mlp)]
    own.require(
        ends[0] == ends[1],
        "output_dim",
        f"is 0, and the MLPs of the towers end in {ends[0][0]} and {ends[1][0]}; both vectors "
        "need one length",
    )


def _names() -> str:
    return ", ".join(RETRIEVAL[:-1]) + f" and {RETRIEVAL[-1]}"
