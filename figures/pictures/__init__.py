"""Pictures, drawn from trajectories and data sets."""
