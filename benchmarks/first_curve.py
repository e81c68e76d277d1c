"""One curve as a user's script computes it, from start to printed error: its whole process is what `first` times.

python first_curve.py K M ETA LAST START [CACHE]: writes the start to START (for the yardstick to solve, too); CACHE: a
folder of compiled programs. Only what every version of the toolkit has.
"""

import sys

import numpy as np

import ode
import teacher_student as ts

K, M, eta, last = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
if len(sys.argv) > 6:
    ts.tune_compiler(cache=sys.argv[6])

task = ts.Committee(ts.Inputs({"all": 1.0}), M)
problem = ts.Problem(task, ts.Student(K), ts.SGD(eta), ts.Curriculum.single("all", last))
start = ts.random_overlaps(problem, dim=1000, key=0, teacher="orthonormal")
theory = ode.solve(problem, start, np.linspace(0, last, 21)[1:], with_accuracy=False)
print(float(theory.error["all"][-1]))

np.savez(sys.argv[5], Q=start.Q[0], R=start.R[0], T=start.T[0])
