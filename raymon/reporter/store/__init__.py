"""What the reporter keeps on the storage of the run: journal, state, evaluations."""
