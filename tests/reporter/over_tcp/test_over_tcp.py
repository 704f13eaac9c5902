"""The reporter of a process group: what its ranks send on TCP counts once, whatever happens."""

from __future__ import annotations

import os
import random
import socket
import struct
import time

import pytest

from raymon.protos.report_pb2 import Heartbeat, Invitation
from raymon.recorder import Outbox
from raymon.recorder import outbox as outbox_module
from raymon.reporter.over_tcp import channel as channel_module
from raymon.reporter.over_tcp import roster
from raymon.reporter.over_tcp import server as server_module
from raymon.results import RANK_GONE
from raymon.wire import encode_heartbeats
from tests.reporter.over_tcp.ranks import Group, Wire, group, until
from tests.reporter.test_node_reporter import root, values
from tests.reporter.windows import auc_metrics, auc_window, clicks


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "_RETRY_S", 0.01)
    monkeypatch.setattr(outbox_module, "_ASK_S", 0.01)
    monkeypatch.setattr(outbox_module, "_LOOK_S", 0.01)
    monkeypatch.setattr(channel_module, "_PAUSE_S", 0.01)
    monkeypatch.setattr(server_module, "_TICK_S", 0.05)


def window(rank: int, index: int, attempt: int = 0, last: bool = False) -> bytes:
    steps = (10 * index, 10 * index + 10)
    scores = clicks(30, 100 * index + rank)
    return auc_window(rank, index, steps, *scores, loss=0.1 * rank, attempt=attempt, last=last)


def flat(ranks: int, windows: int) -> list[tuple]:
    """The numbers of a reporter that is called directly."""
    reporter = root(ranks)
    for index in range(windows):
        for rank in range(ranks):
            reporter.report(window(rank, index, attempt=1))
    return values(reporter)


def own_windows(made: Group, windows: int) -> None:
    for index in range(windows):
        made.reporter.report(window(0, index, attempt=1)).result()


def test_windows_in_any_order_and_any_number_of_times_give_the_numbers_of_a_direct_call() -> None:
    with group(3) as made:
        own_windows(made, 4)
        answers = []
        for rank in (1, 2):
            channel = made.channel(rank)
            messages = [window(rank, index) for index in range(4)] * 2
            random.Random(rank).shuffle(messages)
            answers += [channel.report(message) for message in messages]
        acks = [answer.result(10) for answer in answers]
        assert values(made.root) == flat(3, 4)
        assert acks[-1].durable == {0: 4}
        assert acks[-1].values["auc"] == made.snapshots()[-1].metrics["auc"]


def test_a_connection_that_is_cut_again_and_again_loses_and_repeats_nothing() -> None:
    with group(2) as made:
        wire = Wire(made.invitation.port)
        invitation = Invitation.FromString(made.invitation.SerializeToString())
        invitation.port = wire.port
        channel = made.channel(1, lambda: invitation)
        outbox = Outbox(channel, lambda ack: None)
        own_windows(made, 5)
        for index in range(5):
            outbox.resend([window(1, index)])
            outbox.publish(lambda c, index=index: c.publish_notice(f"notice {index}"))
            until(lambda: channel.is_connected)
            if index % 2 == 0:
                wire.cut()
        assert outbox.close(20)
        assert outbox.failures == 0
        assert values(made.root) == flat(2, 5)
        told = [text for text in made.notices() if text.startswith("notice")]
        assert sorted(told) == sorted(f"notice {index}" for index in range(5))
        wire.close()


def test_what_is_sent_before_there_is_a_reporter_waits_for_it() -> None:
    invitations: list[Invitation] = []
    with group(2) as made:
        channel = made.channel(1, lambda: invitations[-1] if invitations else None)
        answer = channel.report(window(1, 0))
        own_windows(made, 1)
        stale = Invitation.FromString(made.invitation.SerializeToString())
        stale.port = 9
        # One of earlier workers, who are no more.
        invitations.append(stale)
        assert not answer.done()
        invitations.append(made.invitation)
        assert answer.result(10).durable == {0: 1}


def test_who_does_not_know_the_secret_is_not_heard() -> None:
    with group(2) as made:
        wrong = Invitation.FromString(made.invitation.SerializeToString())
        wrong.token = bytes(32)
        stranger = made.channel(1, lambda: wrong)
        answer = stranger.report(window(1, 0))
        until(lambda: any("does not know the secret" in text for text in made.notices()))
        assert not stranger.is_connected
        assert not answer.done()
        assert made.root.status().run.monitoring.windows == 0
        assert made.server.here == 0


def test_bytes_that_are_no_message_end_their_connection_alone() -> None:
    with group(2) as made:
        channel = made.channel(1)
        for sent in (
            struct.pack(">I", 1 << 31),
            struct.pack(">I", 5) + b"hello",
            b"GET / HTTP/1.1",
        ):
            with socket.create_connection(("127.0.0.1", made.invitation.port), 5) as sock:
                sock.sendall(sent)
                sock.settimeout(10)
                while sock.recv(1 << 12):
                    pass
        own_windows(made, 1)
        assert channel.report(window(1, 0)).result(10).durable == {0: 1}
        # What is too large, or no window, is refused for good.
        assert "bytes, more than" in channel.report(bytes((64 << 20) + 1)).result(10).refused
        assert channel.report(b"no window").result(10).refused


def test_a_rank_whose_connection_ends_without_a_word_is_named_at_once() -> None:
    with group(3) as made:
        wire = Wire(made.invitation.port)
        invitation = Invitation.FromString(made.invitation.SerializeToString())
        invitation.port = wire.port
        one, other = made.channel(1, lambda: invitation), made.channel(2)
        until(lambda: made.server.here == 2)
        other.close(None, 5)
        until(lambda: made.server.here == 1)
        assert made.alerts() == []
        wire.cut()
        until(lambda: made.alerts())
        alert = made.alerts()[0]
        assert (alert.finding.kind, alert.finding.rank) == (RANK_GONE, 1)
        assert f"rank 1 ({socket.gethostname()}, pid {os.getpid()}) is gone" in alert.finding.text
        # It comes again, as it was the network alone.
        until(lambda: made.alerts()[-1].is_over)
        until(lambda: one.is_connected)
        wire.close()


def test_a_rank_that_fails_says_why() -> None:
    with group(2) as made:
        channel = made.channel(1)
        until(lambda: channel.is_connected)
        channel.close("ValueError: no more", 5)
        (text,) = made.notices()
        assert text.startswith("rank 1 (")
        assert text.endswith("ended with an exception: ValueError: no more")


def test_ranks_that_never_come_and_ranks_that_are_gone_keep_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(roster, "JOIN_S", 0.05)
    monkeypatch.setattr(roster, "RETURN_S", 0.05)
    with group(4) as made:
        wire = Wire(made.invitation.port)
        invitation = Invitation.FromString(made.invitation.SerializeToString())
        invitation.port = wire.port
        for rank, way in ((1, invitation), (2, made.invitation)):
            channel = made.channel(rank, lambda way=way: way)
            for index in range(2 if rank == 1 else 4):
                channel.report(window(rank, index)).result(10)
        wire.close()
        own_windows(made, 4)
        until(lambda: len(made.snapshots()) == 4)
        assert [shot.coverage.ranks for shot in made.snapshots()] == [3, 3, 2, 2]
        assert any("rank 3 has no raymon.Monitor that is heard" in t for t in made.notices())


def test_a_rank_that_measures_something_else_is_refused_and_told_why() -> None:
    with group(2) as made:
        other = {"click": auc_metrics()["auc"]}
        ack = made.channel(1, metrics=other).report(window(1, 0)).result(10)
        assert ack.refused == (
            "rank 1 has other train_metrics than rank 0: click, not auc; give the same on every "
            "rank"
        )


def test_once_the_first_rank_has_closed_nothing_is_kept_or_waited_for() -> None:
    with group(2) as made:
        channel = made.channel(1)
        outbox = Outbox(channel, lambda ack: None)
        outbox.resend([window(1, 0)])
        until(lambda: outbox.acknowledged == 0 and channel.is_connected)
        made.server.close()
        outbox.resend([window(1, 1)])
        outbox.close(10)
        assert outbox.dropped == 2


def test_a_first_rank_that_is_gone_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channel_module, "_GONE_S", 0.05)
    with group(2) as made:
        wire = Wire(made.invitation.port)
        invitation = Invitation.FromString(made.invitation.SerializeToString())
        invitation.port = wire.port
        channel = made.channel(1, lambda: invitation)
        until(lambda: channel.is_connected)
        wire.close()
        ack = channel.report(window(1, 0)).result(10)
        assert ack.refused == "rank 0, which has the numbers of all ranks, is gone"
        # What is no window is of no use any more.
        assert channel.publish_notice("late").result(1) is None


def test_heartbeats_say_where_a_rank_is() -> None:
    with group(2) as made:
        channel = made.channel(1)
        until(lambda: channel.is_connected)
        beat = Heartbeat(rank=1, world_size=2, host="h", pid=7, step=3, phase="step", deadline_s=9)
        channel.beat(encode_heartbeats([beat])).result(10)
        assert [(r.rank, r.pid, r.step) for r in made.reporter.ranks()][1] == (1, 7, 3)


def test_a_process_that_is_forked_off_keeps_no_connection_open() -> None:
    with group(2) as made:
        channel = made.channel(1)
        until(lambda: channel.is_connected)
        child = os.fork()
        if child == 0:
            # It would be alive long after the connection has ended.
            time.sleep(5)
            os._exit(0)
        channel.close(None, 5)
        until(lambda: made.server.here == 0)
        os.kill(child, 9)
        os.waitpid(child, 0)
