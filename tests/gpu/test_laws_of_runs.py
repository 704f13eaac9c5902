"""Laws of runs in one process, which other tests hold on the CPU, hold on a GPU."""

from __future__ import annotations

import pytest

from tests.training.optim.test_averages import (
    test_averages_that_are_wanted_only_now_begin_with_the_next_step,
    test_fine_tuning_begins_with_the_averages_and_averages_anew,
    test_steps_whose_gradients_are_added_up_are_one_step_of_the_average,
    test_the_average_moves_by_its_share_of_every_step,
    test_the_first_average_is_what_the_first_step_made,
    test_what_is_scored_is_what_is_evaluated_again_and_exported,
)
from tests.training.optim.test_early_stopping import (
    test_a_run_ends_early_and_says_why,
    test_a_run_that_is_killed_stops_where_it_would_have,
)
from tests.training.test_run_in_process import (
    test_0_asks_for_no_checkpoints_of_a_kind,
    test_a_norm_that_is_clipped_to_nothing_moves_tables_alone,
    test_a_run_can_be_made_longer,
    test_a_run_goes_on_in_another_precision,
    test_all_six_summaries_are_on_the_curves,
    test_an_evaluation_can_be_cut_short,
    test_checkpoints_are_kept_as_configured,
    test_epochs_set_when_to_save,
    test_mixed_precision_trains_to_nearly_the_same_loss,
)

__all__ = [
    "test_0_asks_for_no_checkpoints_of_a_kind",
    "test_a_norm_that_is_clipped_to_nothing_moves_tables_alone",
    "test_a_run_can_be_made_longer",
    "test_a_run_ends_early_and_says_why",
    "test_a_run_goes_on_in_another_precision",
    "test_a_run_that_is_killed_stops_where_it_would_have",
    "test_all_six_summaries_are_on_the_curves",
    "test_an_evaluation_can_be_cut_short",
    "test_averages_that_are_wanted_only_now_begin_with_the_next_step",
    "test_checkpoints_are_kept_as_configured",
    "test_epochs_set_when_to_save",
    "test_fine_tuning_begins_with_the_averages_and_averages_anew",
    "test_mixed_precision_trains_to_nearly_the_same_loss",
    "test_steps_whose_gradients_are_added_up_are_one_step_of_the_average",
    "test_the_average_moves_by_its_share_of_every_step",
    "test_the_first_average_is_what_the_first_step_made",
    "test_what_is_scored_is_what_is_evaluated_again_and_exported",
]

pytestmark = pytest.mark.gpu
