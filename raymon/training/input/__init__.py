"""What a rank is fed: readers, datasets, feeds of agreed batches."""
