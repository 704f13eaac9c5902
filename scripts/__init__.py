"""Programs by which the checks and the documents are made."""
