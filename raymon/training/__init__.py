"""Training and its commands: loop, evaluation, checkpoints, and the trainer on Ray."""
