"""Names that files of the page have."""

STEM = "explored"  # of every file that the page exports, before its ending
