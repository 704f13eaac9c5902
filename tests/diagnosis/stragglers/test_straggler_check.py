import pickle

from raymon.diagnosis import StragglerCheck
from raymon.results import FORWARD, Coverage, RankState
from tests.diagnosis.ranks import log_normal, windows
from tests.sinks.snapshots import snapshot


def test_it_finds_a_straggler_in_snapshots_and_names_its_host() -> None:
    check = pickle.loads(pickle.dumps(StragglerCheck()))
    for window in windows(2, 8, log_normal(0.02), slow=lambda index: {1: {FORWARD: 5.0}}):
        check.see(
            snapshot(
                window.end_step,
                first_step=window.first_step,
                samples=window.samples,
                seconds=window.seconds,
                rank_numbers=window.numbers,
                coverage=Coverage(2, 2, 0.0),
            )
        )
    states = [RankState(0, 0.0, 800, 8, 0), RankState(1, 0.0, 800, 8, 0, host="node-b")]
    (found,) = check.findings(states, 0.0)
    assert (found.kind, found.rank, found.host, found.phase) == ("straggler", 1, "node-b", FORWARD)
    assert found.first_step == 0
    assert found.last_step == 799
    check.begin_attempt(800)
    assert check.findings(states, 0.0) == []
