"""The calls of a channel as messages: what a rank asks for, and what the reporter answers."""

from __future__ import annotations

from raymon.protos.report_pb2 import AckRecord, ChannelAnswer, ChannelCall, Scalar, WindowReport
from raymon.reporter.in_process import InProcessReporter
from raymon.reporter.store.evaluation_record import from_record
from raymon.wire import Ack, decode_heartbeats, encode_heartbeats

OWN_ATTEMPT = 0
"""Number that a rank gives to its attempt: only the reporter knows the right one."""


def answer_call(reporter: InProcessReporter, attempt: int, call: ChannelCall) -> ChannelAnswer:
    """Does what a rank asks for.

    Args:
        reporter: The reporter.
        attempt: Number of the attempt.
        call: The call; what is no call of this version is answered with a failure.
    """
    answer = ChannelAnswer(number=call.number)
    try:
        match call.WhichOneof("what"):
            case "window":
                # In a message that is put behind another one, the later field counts.
                number = WindowReport(attempt=attempt).SerializeToString()
                ack = reporter.report(call.window + number).result()
                answer.ack.CopyFrom(to_record(ack, attempt))
            case "heartbeats":
                beats = decode_heartbeats(call.heartbeats)
                for beat in beats:
                    beat.attempt = attempt
                ack = reporter.beat(encode_heartbeats(beats)).result()
                answer.ack.CopyFrom(to_record(ack, attempt))
            case "question":
                answer.ack.CopyFrom(to_record(reporter.acknowledged().result(), attempt))
            case "evaluation":
                reporter.publish_evaluation(from_record(call.evaluation)).result()
            case "notice":
                reporter.publish_notice(call.notice.text, call.notice.level).result()
            case "progress":
                told = call.progress
                reporter.publish_evaluation_progress(
                    told.step, told.done, told.total, told.seconds
                ).result()
            case "goodbye":
                pass
            case _:
                answer.failure = "a call that this version does not have"
    except Exception as error:  # whatever it is, the rank has to hear of it
        answer.failure = f"{type(error).__name__}: {error}"
    return answer


def to_record(ack: Ack, attempt: int) -> AckRecord:
    """Returns the answer of a reporter as a message.

    Args:
        ack: The answer.
        attempt: Attempt of the rank that is answered.
    """
    return AckRecord(
        life=ack.life,
        begun=ack.begun,
        durable=ack.durable.get(attempt, 0),
        values=[Scalar(name=name, value=value) for name, value in ack.values.items()],
        refused=ack.refused,
        storage_fails=ack.storage_fails,
    )


def from_record_of_ack(record: AckRecord) -> Ack:
    """Returns the answer of a reporter, as the rank numbers its attempt."""
    return Ack(
        life=record.life,
        attempt=OWN_ATTEMPT,
        begun=record.begun,
        durable={OWN_ATTEMPT: record.durable},
        values={scalar.name: scalar.value for scalar in record.values},
        refused=record.refused if record.HasField("refused") else None,
        storage_fails=record.storage_fails,
    )
