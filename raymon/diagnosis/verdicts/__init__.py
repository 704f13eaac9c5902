"""The one reason that says most of why a run is slow, or ended, and what may help."""

from raymon.diagnosis.verdicts.explain import explain
from raymon.diagnosis.verdicts.run_record import RunRecord
from raymon.diagnosis.verdicts.verdict import Verdict

__all__ = ["RunRecord", "Verdict", "explain"]
