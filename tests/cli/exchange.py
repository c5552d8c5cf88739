"""Holds what rnn-model exports to the programs that it is for, and takes in what they write: each part is skipped where
its module is missing. Exit code 77: h5py or NumPy is.

    exchange.py RNN_TRAIN RNN_PREDICT RNN_MODEL RNN_DATA
"""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import h5py
    import numpy as np
except ImportError:
    sys.exit(77)

TRAIN, PREDICT, MODEL, DATA = (str(Path(sys.argv.pop(1)).resolve()) for _ in range(4))
FOLDER = None  # of this test


def run(*words):
    """What a program prints that has to be done."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, cwd=FOLDER)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def train(name, dataset, model, epochs=1):
    """The checkpoint of a network that was trained on a built-in dataset, as a path."""
    lines = [f"[data]\ntrain = {dataset}-train.h5\nstandardize = {model.pop('standardize', 'no')}", "[model]"]
    lines += [f"{key} = {value}" for key, value in model.items()]
    (FOLDER / f"{name}.ini").write_text("\n".join(lines) + f"\n[train]\nepochs = {epochs}\n")
    run(TRAIN, "-q", f"{name}.ini")
    return FOLDER / "runs" / name / "best.h5"


def make(dataset):
    if not (FOLDER / f"{dataset}-train.h5").exists():
        run(DATA, "make", dataset, "--sequences", "40", "-o", ".")


def hash_of(checkpoint):
    with h5py.File(checkpoint) as file:
        return file.attrs["weights_hash"]


class Weights(unittest.TestCase):
    def setUp(self):
        make("context")
        self.checkpoint = train("weights", "context", {"output": "frame", "hidden": 5})
        with h5py.File(self.checkpoint) as file:
            self.expected = {name: item[()] for name, item in file["model"].items()}

    def same(self, found):
        self.assertEqual(set(found), set(self.expected))
        for name, values in self.expected.items():
            np.testing.assert_array_equal(found[name], values)
            self.assertEqual(found[name].dtype, np.float32)

    def comes_in(self, path):
        run(MODEL, "import", path, "--like", self.checkpoint, "-o", "in.h5")
        self.assertEqual(hash_of(FOLDER / "in.h5"), hash_of(self.checkpoint))

    def test_numpy_reads_and_writes_npz(self):
        run(MODEL, "export", self.checkpoint, "-o", "w.npz", "--to", "npz")
        with np.load(FOLDER / "w.npz") as found:
            self.same(dict(found))
        np.savez(FOLDER / "stored.npz", **self.expected)
        self.comes_in("stored.npz")
        np.savez_compressed(FOLDER / "wide.npz", **{k: v.astype("f8") for k, v in self.expected.items()})
        self.comes_in("wide.npz")

    def test_safetensors_reads_and_writes_its_format(self):
        try:
            from safetensors import safe_open
            from safetensors.numpy import load_file, save_file
        except ImportError as error:
            self.skipTest(str(error))
        run(MODEL, "export", self.checkpoint, "-o", "w.safetensors", "--to", "safetensors")
        self.same(load_file(FOLDER / "w.safetensors"))
        with safe_open(FOLDER / "w.safetensors", "np") as file:
            self.assertEqual(file.metadata()["rnn-train.weights_hash"], hash_of(self.checkpoint).decode())
            self.assertEqual(file.metadata()["rnn-train.class_names"], '["0", "1", "2", "3"]')
        save_file(self.expected, FOLDER / "theirs.safetensors")
        self.comes_in("theirs.safetensors")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        unittest.main()
