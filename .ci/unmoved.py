"""Prints `runs` where .venv was made in this folder, or by another program than venv. Run by the Python in .venv.

That Python also runs after the folder was moved or copied; flask, gunicorn and the other programs beside it do not,
since their first lines name the folder where they were installed.
"""

import os

with open(".venv/pyvenv.cfg", encoding="utf-8") as file:
    words = file.read().partition(" -m venv ")[2].split("\n")[0]  # such as: --clear /opt/spendai/.venv
if not words or os.path.samefile(words[words.index("/") :] + "/bin", ".venv/bin"):
    print("runs")
