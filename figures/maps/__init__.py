"""Maps over axes of a sweep: numbers, not pictures."""
