"""The reporter of a process group, in its first rank, and the channels of the others to it."""

from raymon.reporter.over_tcp.addresses import address_to_listen_at
from raymon.reporter.over_tcp.channel import TcpChannel
from raymon.reporter.over_tcp.roster import GoneRanks
from raymon.reporter.over_tcp.same_settings import hello_of
from raymon.reporter.over_tcp.server import ReporterServer

__all__ = ["GoneRanks", "ReporterServer", "TcpChannel", "address_to_listen_at", "hello_of"]
