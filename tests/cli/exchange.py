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


def make_labels():
    """A set with two labels in each sequence of ten frames or more."""
    rng = np.random.default_rng(1)
    for part in ("train", "test"):
        lengths = rng.integers(10, 20, 8)
        with h5py.File(FOLDER / f"labels-{part}.h5", "w") as file:
            file.attrs["format"], file.attrs["format_version"] = "rnn-train dataset", np.int32(1)
            file["inputs"] = rng.normal(size=(lengths.sum(), 3)).astype("f4")
            file["input_offsets"] = np.cumsum([0, *lengths])
            file["targets"] = rng.integers(0, 3, 16).astype("i4")
            file["targets"].attrs["n_classes"] = np.int32(3)
            file["target_offsets"] = np.arange(0, 17, 2)


def make(dataset):
    if dataset == "labels":
        make_labels()
    elif not (FOLDER / f"{dataset}-train.h5").exists():
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


MAIN = r"""
#include "net.h"
#include <stdio.h>
#include <stdlib.h>

/* Reads how many sequences there are, their lengths, and then all inputs; writes all outputs. */
int main(void)
{
    int n, *length;
    if (fread(&n, sizeof n, 1, stdin) != 1 || !(length = calloc((size_t)n, sizeof *length)) ||
        fread(length, sizeof *length, (size_t)n, stdin) != (size_t)n)
        return 1;
    for (int i = 0; i < n; i++) {
        size_t T = (size_t)length[i], items = T * WIDTH;
        INPUT *inputs = calloc(items, sizeof *inputs);
        float *outputs = calloc(T * RNN_OUTPUTS, sizeof *outputs), *work = calloc(rnn_work(T), sizeof *work);
        if (!inputs || !outputs || !work || fread(inputs, sizeof *inputs, items, stdin) != items)
            return 1;
        rnn_run(inputs, T, outputs, work);
        fwrite(outputs, sizeof *outputs, RNN_PER_SEQUENCE ? RNN_OUTPUTS : T * RNN_OUTPUTS, stdout);
        free(inputs), free(outputs), free(work);
    }
    free(length);
    return 0;
}
"""

# Of every cell one, with what goes with it.
NETWORKS = [
    ("context", dict(output="frame", cell="lstm", hidden=5, peepholes="yes", initial_state="learned", output_layers=4)),
    ("context", dict(output="frame", cell="gru", hidden=6, layers=1, embedding=3, bidirectional="no")),
    ("context", dict(output="frame", layers=0, input_layers="5 4")),
    ("lorenz", dict(output="frame", loss="mse", cell="lru", hidden=6, residual="yes", normalize="yes", standardize="yes")),
    ("lorenz", dict(output="frame", loss="gaussian", cell="rnn", hidden=5, transition_layers=2, input_layers=5,
                    initial_state="learned")),
    ("lorenz", dict(output="frame", loss="quantile", cell="rnn-relu", hidden="5 4", standardize="yes")),
    ("adding", dict(output="sequence", loss="mse", cell="indrnn", hidden=5, output_layers="3 4")),
    ("adding", dict(output="sequence", loss="huber", cell="mingru", hidden=5, normalize="yes", standardize="yes")),
    ("recall", dict(output="sequence", cell="lstm", hidden=4, residual="yes")),
]


class Header(unittest.TestCase):
    """The header in C gives what rnn-predict gives."""

    def predict(self, checkpoint, dataset):
        run(PREDICT, checkpoint, f"{dataset}-test.h5", "-o", "predicted.h5")
        with h5py.File(FOLDER / "predicted.h5") as file:
            return file["outputs"][()].ravel()

    def compile(self, checkpoint, symbols):
        run(MODEL, "export", checkpoint, "-o", "net.h", "--to", "c")
        (FOLDER / "main.c").write_text(MAIN)
        kind = ["-DINPUT=int", "-DWIDTH=1"] if symbols else ["-DINPUT=float", "-DWIDTH=RNN_INPUTS"]
        run("cc", "-std=c99", "-O1", "-Wall", "-Wextra", "-Wpedantic", "-Werror", *kind, "main.c", "-o", "main", "-lm")

    def test_the_header_of_every_cell_gives_what_prediction_gives(self):
        for number, (dataset, model) in enumerate(NETWORKS):
            with self.subTest(dataset=dataset, **model):
                make(dataset)
                checkpoint = train(f"header{number}", dataset, dict(model))
                with h5py.File(FOLDER / f"{dataset}-test.h5") as file:
                    inputs, offsets = file["inputs"][()], file["input_offsets"][()]
                self.compile(checkpoint, inputs.ndim == 1)
                lengths = np.diff(offsets).astype("<i4")
                stdin = np.int32(len(lengths)).tobytes() + lengths.tobytes() + inputs.tobytes()
                done = subprocess.run([FOLDER / "main"], input=stdin, capture_output=True, timeout=60, check=True)
                found, expected = np.frombuffer(done.stdout, "<f4"), self.predict(checkpoint, dataset)
                self.assertEqual(found.shape, expected.shape)
                scale = max(1, np.abs(expected).max())
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * scale)

    def test_an_output_without_a_form_is_refused_by_name(self):
        make("spell")
        checkpoint = train("decoder", "spell", {"output": "decoder", "hidden": 4})
        words = [MODEL, "export", checkpoint, "-o", FOLDER / "no.h", "--to", "c"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("output = decoder has no form in C", done.stderr)
        self.assertFalse((FOLDER / "no.h").exists())


# What ONNX has a form for, with every option that goes with it.
ONNX_NETWORKS = [
    ("context", dict(output="frame", cell="lstm", hidden=5, peepholes="yes", initial_state="learned", output_layers=4)),
    ("context", dict(output="frame", cell="gru", hidden=6, embedding=3, bidirectional="no", initial_state="learned")),
    ("context", dict(output="frame", layers=0, input_layers="5 4")),
    ("recall", dict(output="sequence", cell="lstm", hidden="4 3", bidirectional="yes no", normalize="yes")),
    ("lorenz", dict(output="frame", loss="mse", cell="rnn", hidden=5, residual="yes", normalize="yes", standardize="yes")),
    ("adding", dict(output="sequence", loss="mse", cell="gru", hidden=5, residual="yes", standardize="yes")),
    ("recall", dict(output="sequence", cell="rnn-relu", hidden=4, input_layers=3)),
    ("labels", dict(output="ctc", cell="lstm", hidden=4, layers=1)),
    ("lorenz", dict(output="frame", loss="gaussian", cell="lstm", hidden=4, standardize="yes")),
    ("adding", dict(output="sequence", loss="gaussian", cell="indrnn", hidden=5, output_layers=4)),
    ("adding", dict(output="sequence", loss="quantile", cell="indrnn", hidden=4, residual="yes", initial_state="learned")),
    ("lorenz", dict(output="frame", loss="mse", cell="mingru", hidden="4 3", normalize="yes", bidirectional="yes no")),
    ("recall", dict(output="sequence", cell="mingru", hidden=4, residual="yes", initial_state="learned")),
    ("context", dict(output="frame", cell="lru", hidden=5, residual="yes", normalize="yes")),
    ("adding", dict(output="sequence", loss="mse", cell="lru", hidden=4, standardize="yes", initial_state="learned")),
    ("labels", dict(output="ctc", cell="rnn", hidden=4, transition_layers=1)),
    ("lorenz", dict(output="frame", loss="mse", cell="rnn-relu", hidden=4, transition_layers=2, residual="yes")),
    ("recall", dict(output="sequence", cell="gru", hidden="4 3", transition_layers=1, initial_state="learned")),
    ("context", dict(output="frame", cell="lstm", hidden=4, transition_layers=2, peepholes="yes", initial_state="learned")),
    ("adding", dict(output="sequence", loss="mse", cell="lstm", hidden=3, transition_layers=1, residual="yes")),
]

# What it has none for, and what is said of it.
REFUSED = [
    ("spell", dict(output="decoder", hidden=4), "output = decoder has no form in ONNX"),
]


class Onnx(unittest.TestCase):
    """onnxruntime gives what rnn-predict gives, all sequences in one ragged batch."""

    def setUp(self):
        try:
            import onnx
        except ImportError as error:
            self.skipTest(str(error))
        self.onnx = onnx

    def export(self, checkpoint, name):
        words = [MODEL, "export", checkpoint, "-o", FOLDER / name, "--to", "onnx"]
        done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
        if "was built without" in done.stderr:
            self.skipTest(done.stderr)
        return done

    def run_model(self, inputs, offsets):
        import onnxruntime

        session = onnxruntime.InferenceSession(FOLDER / "net.onnx", providers=["CPUExecutionProvider"])
        lengths = np.diff(offsets)
        batch = np.full((lengths.max(), len(lengths)) + inputs.shape[1:], 7.0 if inputs.ndim > 1 else 0)
        for i, (begin, end) in enumerate(zip(offsets, offsets[1:])):
            batch[: end - begin, i] = inputs[begin:end]
        batch = batch.astype("f4" if inputs.ndim > 1 else "i8")
        outputs = session.run(["outputs"], {"inputs": batch, "lengths": lengths.astype("i4")})[0]
        return outputs if outputs.ndim == 2 else np.concatenate([outputs[:n, i] for i, n in enumerate(lengths)])

    def test_a_model_gives_what_prediction_gives(self):
        try:
            import onnxruntime  # noqa: F401
        except ImportError as error:
            self.skipTest(str(error))
        for number, (dataset, model) in enumerate(ONNX_NETWORKS):
            with self.subTest(dataset=dataset, **model):
                make(dataset)
                checkpoint = train(f"onnx{number}", dataset, dict(model))
                with h5py.File(FOLDER / f"{dataset}-test.h5") as file:
                    inputs, offsets = file["inputs"][()], file["input_offsets"][()]
                self.assertEqual(self.export(checkpoint, "net.onnx").stderr, "")
                made = self.onnx.load(FOLDER / "net.onnx")
                self.onnx.checker.check_model(made, full_check=True)
                facts = {entry.key: entry.value for entry in made.metadata_props}
                self.assertEqual(facts["rnn-train.weights_hash"], hash_of(checkpoint).decode())
                self.assertEqual("rnn-train.blank" in facts, model["output"] == "ctc")
                run(PREDICT, checkpoint, f"{dataset}-test.h5", "-o", "predicted.h5")
                with h5py.File(FOLDER / "predicted.h5") as file:
                    expected = file["outputs"][()]
                expected = expected.reshape(len(expected), -1)  # several numbers of a value stand side by side
                found = self.run_model(inputs, offsets)
                self.assertEqual(found.shape, expected.shape)
                np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)

    def test_what_has_no_form_is_refused_by_name(self):
        for number, (dataset, model, says) in enumerate(REFUSED):
            make(dataset)
            done = self.export(train(f"refused{number}", dataset, dict(model)), "no.onnx")
            self.assertEqual(done.returncode, 2)
            self.assertIn(says, done.stderr)
            self.assertFalse((FOLDER / "no.onnx").exists())


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        FOLDER = Path(folder)
        unittest.main()
