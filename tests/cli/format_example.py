"""Runs the Python blocks of datasets/README.md and checks the file they write, as that page shows it.

Arguments: the README, rnn-data. Exit code 77 (skipped) where h5py is missing."""
import os
import re
import subprocess
import sys
import tempfile

try:
    import h5py  # noqa: F401 (the blocks use it)
except ImportError:
    print("skipped: no h5py for", sys.executable)
    sys.exit(77)

text = open(sys.argv[1], encoding="utf-8").read()
program = os.path.abspath(sys.argv[2])
blocks = re.findall(r"^```python\n(.*?)^```", text, re.S | re.M)
assert len(blocks) == 2, "the page has a block that writes a file and one that reads it"
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for block in blocks:
        names = {}  # each as typed by itself
        exec(block, names)
    assert names["sequence"].shape == (3, 2), names["sequence"].shape
    shown = re.search(r"^\$ rnn-data check.*?^\$ h5ls", text, re.S | re.M).group(0)
    for command in ("check", "info"):
        result = subprocess.run([program, command, "example.h5"], capture_output=True, text=True, timeout=60)
        assert result.returncode == 0, result
        for line in result.stdout.splitlines():
            assert line in shown or line.startswith("  size"), "not as on the page: " + line
    os.chdir("/")
