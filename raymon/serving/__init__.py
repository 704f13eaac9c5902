"""A trained model without its training code: exported, and scoring rows without Ray."""

from raymon.serving.bundle import Bundle, open_bundle, write_bundle
from raymon.serving.program import export_program, program_inputs
from raymon.serving.scoring import predict

__all__ = ["Bundle", "export_program", "open_bundle", "predict", "program_inputs", "write_bundle"]
