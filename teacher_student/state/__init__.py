"""The state of a student: overlaps, how they start, and what is done with them."""
