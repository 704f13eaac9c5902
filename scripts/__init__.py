"""Programs that the checks and the documents are made with."""
