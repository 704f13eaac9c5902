"""A trained model without its training code: exported, and scoring rows without Ray."""

from raymon.serving.bundle import Bundle, open_bundle, write_bundle
from raymon.serving.program import export_program, program_inputs
from raymon.serving.scoring import predict
from raymon.serving.stored_table import StoredTable, TableInfo, quantized_rows, store_tables
from raymon.serving.weight_files import table_part_bytes

__all__ = [
    "Bundle",
    "StoredTable",
    "TableInfo",
    "export_program",
    "open_bundle",
    "predict",
    "program_inputs",
    "quantized_rows",
    "store_tables",
    "table_part_bytes",
    "write_bundle",
]
