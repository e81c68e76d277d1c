"""A small problem as a file, for the command line."""

SMALL = """
seed = 3
[task]
fractions = { relevant = 0.25, irrelevant = 0.75 }
width = 1
support = "relevant"
[task.levels]
easy = { relevant = 1.0, irrelevant = 0.2 }
hard = { relevant = 1.0, irrelevant = 1.5 }
[student]
width = 1
[sgd]
learning_rate = 1.0
[curriculum]
phases = [["easy", 1.0], ["hard", 1.0]]
[record]
count = 4
[simulation]
dim = 200
smaller_dim = 100
runs = 16
test_samples = 32
"""
