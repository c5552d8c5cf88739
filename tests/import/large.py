"""A table of two gigabytes is imported in less than 100 MB of memory, in the order of the file and out of it, from
standard input, to which it is written as it is read. Exit code 77: there is no room for it.

    large.py RNN_DATA [MEGABYTES]
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile

PROGRAM, MEGABYTES = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2000
MOST_RESIDENT = 100_000_000
FEATURES, ROWS = 8, 1000  # of a sequence


def table(stream, shuffled):
    """Writes sequences until there are enough bytes; shuffled, those of a block turn about, last rows first."""
    stream.write(b"id,t," + b",".join(b"x%d" % i for i in range(FEATURES)) + b",label\n")
    size, s = 0, 0
    block = 50 if shuffled else 1
    while size < MEGABYTES * 1_000_000:
        rows = []
        for t in range(ROWS):
            value = b",".join(b"%d.%06d" % (i, (t * 7919 + i * 104729) % 1000000) for i in range(FEATURES))
            for n in range(block):
                rows.append(b"sequence %d,%d,%s,%s\n" % (s + n, t, value, b"odd" if (s + n) % 2 else b"even"))
        text = b"".join(reversed(rows) if shuffled else rows)
        size += len(text)
        s += block
        stream.write(text)
    return s


def run(folder, shuffled):
    out = os.path.join(folder, "large.h5")
    words = ["csv", "-", "-o", out, "--sequence", "id", "--target", "label", "--classes", "--per-sequence"]
    words += ["--inputs", ",".join(f"x{i}" for i in range(FEATURES))] + (["--order", "t"] if shuffled else [])
    program = subprocess.Popen([PROGRAM, "import", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    sequences = table(program.stdin, shuffled)
    program.stdin.close()
    said = program.stdout.read().decode()
    _, status, usage = os.wait4(program.pid, 0)
    resident = usage.ru_maxrss * 1024
    print(f"{'shuffled' if shuffled else 'in order'}: {resident / 1e6:.0f} MB, {said.strip()}")
    if status != 0 or f"sequences={sequences} frames={sequences * ROWS}" not in said or resident > MOST_RESIDENT:
        sys.exit(f"wanted {sequences} sequences in less than {MOST_RESIDENT / 1e6:.0f} MB; status {status}")
    subprocess.run([PROGRAM, "check", out], check=True, stdout=subprocess.DEVNULL)
    os.unlink(out)


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
with tempfile.TemporaryDirectory() as place:
    if shutil.disk_usage(place).free < 4 * MEGABYTES * 1_000_000:
        sys.exit(77)
    run(place, False)
    run(place, True)
