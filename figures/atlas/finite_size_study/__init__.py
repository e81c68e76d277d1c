"""Runs of finite N against theory: plan, data, fit, picture and text."""
