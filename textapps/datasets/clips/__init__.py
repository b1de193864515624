"""Short recordings of spoken words."""
