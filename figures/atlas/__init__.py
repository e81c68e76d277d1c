"""Studies of one question each: the data, with both engines and their agreement, and the picture."""
