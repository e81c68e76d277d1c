"""Tables of problem files, read strictly before anything slow is loaded."""
