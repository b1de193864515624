"""Classical baselines to compare networks with."""
