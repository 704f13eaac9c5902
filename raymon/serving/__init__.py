"""A trained model without its training code: exported, and scoring rows without Ray."""

from raymon.serving.bundle import CARD, Bundle, open_bundle, write_bundle
from raymon.serving.exact_search import exact_search, search_recall
from raymon.serving.output import format_of_output
from raymon.serving.output_columns import OutputColumns, choose_columns
from raymon.serving.part_files import check_output_directory, drafted_parts, part_path, write_part
from raymon.serving.program import export_program, program_inputs
from raymon.serving.scorer import Scorer, exported_scorer
from raymon.serving.scoring import (
    BATCH,
    check_output_file,
    check_outside,
    open_input,
    predict,
    predict_file,
)
from raymon.serving.stored_table import StoredTable, TableInfo, quantized_rows, store_tables
from raymon.serving.weight_files import table_part_bytes

__all__ = [
    "BATCH",
    "CARD",
    "Bundle",
    "OutputColumns",
    "Scorer",
    "StoredTable",
    "TableInfo",
    "check_output_directory",
    "check_output_file",
    "check_outside",
    "choose_columns",
    "drafted_parts",
    "exact_search",
    "export_program",
    "exported_scorer",
    "format_of_output",
    "open_bundle",
    "open_input",
    "part_path",
    "predict",
    "predict_file",
    "program_inputs",
    "quantized_rows",
    "search_recall",
    "store_tables",
    "table_part_bytes",
    "write_bundle",
    "write_part",
]
