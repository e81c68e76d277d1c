"""Measures of a gain, by name. On their own, since the command line names them before anything is loaded."""

MEASURES = {  # name -> axis label of a gain in it
    "solved": "gain in P(all four means right)",
    "accuracy": "gain in accuracy on hard samples",
    "time": "P(faster) $-$ P(slower) to the accuracy",
    "best rate": "gain in accuracy, each at its best rate",
}
