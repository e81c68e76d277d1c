"""Pruned students and their tickets: plan, data, picture and text."""
