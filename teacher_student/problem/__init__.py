"""What is learned, by whom, by which rule and in which order."""
