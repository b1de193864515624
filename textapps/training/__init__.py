"""The one training path: batches, checkpoints and exact resume, schedules, distribution."""
