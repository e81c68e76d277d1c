"""Jobs while they run: Ctrl-C, where results go, pictures to files."""
