"""Holds what rnn-predict writes as csv and as text, read by Python's csv module and by str.split, to the same outputs in
an HDF5 file, read by h5py. Exit code 77: h5py or NumPy is missing.

    predictions.py RNN_TRAIN RNN_PREDICT
"""
import csv
import io
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

TRAIN, PREDICT = (str(Path(sys.argv.pop(1)).resolve()) for _ in range(2))
FOLDER = None  # of all tests

# Whatever a field of RFC 4180 can hold, and what is not ASCII.
CLASSES = ["a,b", 'say "no"', "two\nlines", "grün"]
TARGETS = ["x", 'the "y"', "z,z"]
NAMES = ["plain", 'a "name", with both', "of two\nlines", "", "naïve", "with\ttab"]


def run(*words):
    """What a program says on both streams, which has to be done."""
    done = subprocess.run(words, capture_output=True, timeout=60, check=False, cwd=FOLDER)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout, done.stderr.decode()


def write_set(name, per, classes, values, names):
    """Six sequences with targets per frame, per sequence, or a number of them that differs or not."""
    rng = np.random.default_rng(1)
    lengths = np.array([7, 9, 6, 12, 8, 10])
    counts = {"frame": lengths, "sequence": np.ones(6, int), "any": np.array([2, 0, 1, 3, 1, 2]), "three": np.full(6, 3)}[per]
    texts = h5py.string_dtype()
    with h5py.File(FOLDER / name, "w") as file:
        file.attrs["format"], file.attrs["format_version"] = "rnn-train dataset", np.int32(1)
        file["inputs"] = rng.normal(size=(lengths.sum(), 3)).astype("f4")
        file["input_offsets"] = np.cumsum([0, *lengths])
        if classes:
            file["targets"] = rng.integers(0, len(CLASSES), counts.sum()).astype("i4")
            file["targets"].attrs["n_classes"] = np.int32(len(CLASSES))
            if names:
                file.create_dataset("class_names", data=CLASSES, dtype=texts)
        else:
            file["targets"] = rng.random((counts.sum(), values)).astype("f4")
            if names:
                file.create_dataset("target_names", data=TARGETS[:values], dtype=texts)
        file["target_offsets"] = np.cumsum([0, *counts])
        if names:
            file.create_dataset("names", data=NAMES, dtype=texts)


class Predictions(unittest.TestCase):
    """One network a test."""

    def predict(self, *words):
        """Standard output; what else there is to say is the line of figures, on standard error."""
        output, errors = run(PREDICT, *words, f"runs/{self.name}", f"{self.name}.h5")
        self.assertRegex(errors, r"\Asequences=6 frames=52 loss=.*\n\Z")
        return output

    def make(self, model, per, classes=True, values=0, names=True):
        self.name = self.id().rsplit(".", 1)[-1]
        write_set(f"{self.name}.h5", per, classes, values, names)
        (FOLDER / f"{self.name}.ini").write_text(
            f"[data]\ntrain = {self.name}.h5\n[model]\nhidden = 5\nlayers = 1\n{model}\n[train]\nepochs = 60\nlr = 0.05\n")
        run(TRAIN, "-q", f"{self.name}.ini")
        run(PREDICT, "-o", f"{self.name}-out.h5", f"runs/{self.name}", f"{self.name}.h5")
        text = self.predict("-o", "-", "--format", "csv").decode()
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
        self.lines = self.predict("-o", "-").decode().split("\n")
        self.assertEqual(self.lines.pop(), "")
        self.names = [name or str(s) for s, name in enumerate(NAMES)] if names else [str(s) for s in range(6)]
        clean = [name.replace("\n", "?").replace("\t", "?") for name in self.names]
        self.assertEqual([line.split("\t")[0] for line in self.lines], clean)
        self.texts = [line.split("\t")[1] for line in self.lines]
        self.header, self.rows = rows[0], rows[1:]
        return h5py.File(FOLDER / f"{self.name}-out.h5")

    def check_rows(self, file, place, names, columns):
        """Rows of outputs, which each have a row of the table."""
        outputs, offsets = file["outputs"][:], file["output_offsets"][:]
        outputs = outputs.reshape(len(outputs), -1)
        labels = file["labels"][:] if "labels" in file else None
        head = ["name"] + ([place] if place else []) + ([] if labels is None else ["label"])
        self.assertEqual(self.header, head + columns)
        self.assertEqual(len(self.rows), len(outputs))
        for s in range(6):
            for r in range(offsets[s], offsets[s + 1]):
                row = list(self.rows[r])
                self.assertEqual(row.pop(0), self.names[s])
                if place:
                    self.assertEqual(row.pop(0), str(r - offsets[s]))
                if labels is not None:
                    self.assertEqual(row.pop(0), names[labels[r]])
                np.testing.assert_array_equal(np.array(row, "f4"), outputs[r])
            self.check_text(s, outputs[offsets[s]:offsets[s + 1]],
                            None if labels is None else [names[c] for c in labels[offsets[s]:offsets[s + 1]]])

    def check_text(self, s, outputs, labels):
        if labels is not None:
            self.assertEqual(self.texts[s], " ".join(labels).replace("\n", "?"))
            return
        found = [[np.float32(x) for x in row.split(",")] for row in self.texts[s].split(" ")]
        np.testing.assert_array_equal(np.array(found, "f4"), outputs)

    def check_labels(self, file, names):
        labels, offsets = file["labels"][:], file["label_offsets"][:]
        self.assertGreater(len(labels), 0, "nothing was found, so nothing is compared")
        self.assertEqual(self.header, ["name", "place", "label"])
        want = [[self.names[s], str(i - offsets[s]), names[labels[i]]]
                for s in range(6) for i in range(offsets[s], offsets[s + 1])]
        self.assertEqual(self.rows, want)
        for s in range(6):
            self.check_text(s, None, [names[c] for c in labels[offsets[s]:offsets[s + 1]]])

    def test_frames(self):
        with self.make("output = frame", "frame") as file:
            self.check_rows(file, "frame", CLASSES, ["p_" + name for name in CLASSES])

    def test_sequences_without_names(self):
        with self.make("output = sequence", "sequence", names=False) as file:
            self.check_rows(file, None, "0123", ["p_0", "p_1", "p_2", "p_3"])

    def test_shares(self):
        with self.make("output = frame\nloss = sigmoid", "frame", False, 2) as file:
            self.check_rows(file, "frame", None, ["p_" + name for name in TARGETS[:2]])

    def test_values(self):
        with self.make("output = sequence\nloss = mse", "sequence", False, 3) as file:
            self.check_rows(file, None, None, ["y_" + name for name in TARGETS])

    def test_quantiles(self):
        with self.make("output = frame\nloss = quantile\nquantiles = 0.1 0.5", "frame", False, 2) as file:
            self.check_rows(file, "frame", None, ["y_x_q0.1", "y_x_q0.5", 'y_the "y"_q0.1', 'y_the "y"_q0.5'])

    def test_gaussian(self):
        with self.make("output = frame\nloss = gaussian", "frame", False, 1, False) as file:
            self.check_rows(file, "frame", None, ["y_0_mean", "y_0_variance"])

    def test_ctc(self):
        with self.make("output = ctc", "any") as file:
            self.check_labels(file, CLASSES)

    def test_decoder(self):
        with self.make("output = decoder\nattention = additive\ndecoder_hidden = 5", "any") as file:
            self.check_labels(file, CLASSES)

    def test_decoder_of_values(self):
        with self.make("output = decoder\nloss = mse\ndecoder_hidden = 5", "three", False, 2) as file:
            self.check_rows(file, "place", None, ["y_" + name for name in TARGETS[:2]])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        unittest.main()
