"""Memory and use of the GPUs of a run."""

from __future__ import annotations

from dataclasses import dataclass

from raymon.protos.report_pb2 import DeviceNumbers as DeviceMessage


@dataclass(frozen=True)
class DeviceNumbers:
    """Memory and use of the GPUs of some ranks in some steps; there are none of a CPU.

    Merging is a maximum or a sum of integers, so its order does not matter.

    Attributes:
        max_bytes: Most bytes that tensors took at once, of the rank with most.
        allocated_bytes: Bytes of tensors at the end of a window, of the rank with most.
        reserved_bytes: Bytes that torch's allocator had taken from the device at the end of a
            window, of the rank with most.
        busy_percent: Sum of samples of the share of time in which a kernel ran, in percent.
        samples: Number of these samples, over ranks and time.
    """

    max_bytes: int
    allocated_bytes: int
    reserved_bytes: int
    busy_percent: int = 0
    samples: int = 0

    @property
    def utilization(self) -> float | None:
        """Share of the time in which a kernel ran, the mean of the ranks; None if unknown."""
        return self.busy_percent / self.samples / 100 if self.samples else None

    def merged(self, other: DeviceNumbers | None) -> DeviceNumbers:
        """Returns the numbers of both."""
        if other is None:
            return self
        return DeviceNumbers(
            max(self.max_bytes, other.max_bytes),
            max(self.allocated_bytes, other.allocated_bytes),
            max(self.reserved_bytes, other.reserved_bytes),
            self.busy_percent + other.busy_percent,
            self.samples + other.samples,
        )

    def figures(self) -> dict[str, float | None]:
        """Returns the figures by the names that they have everywhere."""
        return {
            "device_bytes": self.max_bytes,
            "device_allocated_bytes": self.allocated_bytes,
            "device_reserved_bytes": self.reserved_bytes,
            "device_utilization": self.utilization,
        }

    def to_message(self) -> DeviceMessage:
        """Returns the message that `from_message` reads."""
        return DeviceMessage(
            max_bytes=self.max_bytes,
            allocated_bytes=self.allocated_bytes,
            reserved_bytes=self.reserved_bytes,
            busy_percent=self.busy_percent,
            samples=self.samples,
        )

    @classmethod
    def from_message(cls, message: DeviceMessage) -> DeviceNumbers:
        """Returns the numbers of a message."""
        return cls(
            message.max_bytes,
            message.allocated_bytes,
            message.reserved_bytes,
            message.busy_percent,
            message.samples,
        )


DEVICE_FIGURES = tuple(DeviceNumbers(0, 0, 0).figures())
"""The names of the figures."""
