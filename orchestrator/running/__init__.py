"""What surrounds the training of one run: its job, where its packs train, its signals, its live page, its messages."""
