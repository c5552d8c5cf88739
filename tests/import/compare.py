"""Imports what other programs have written, and compares with what they read of it themselves.

compare.py KIND RNN_DATA: exit code 77 where a module that KIND needs is missing.
"""
import os
import subprocess
import sys
import tempfile

SKIPPED = 77


def need(*names):
    """The modules of these names; ends the test where one is missing."""
    import importlib

    modules = []
    for name in names:
        try:
            modules.append(importlib.import_module(name))
        except ImportError as error:
            print(f"skipped: {error}")
            sys.exit(SKIPPED)
    return modules


class Importer:
    def __init__(self, program, folder):
        self.program, self.folder = program, folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self, kind, *words):
        """The result of an import as a dictionary of arrays and attributes."""
        import h5py

        out = self.path("out.h5")
        done = subprocess.run(
            [self.program, "import", kind, *words, "-o", out], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, (kind, words, done.stderr)
        checked = subprocess.run([self.program, "check", out], capture_output=True, text=True, timeout=60, check=False)
        assert checked.returncode == 0, checked.stderr
        with h5py.File(out) as file:
            result = {name: file[name][()] for name in file}
            result["attributes"] = {name: dict(file[name].attrs) for name in file}
        for name in ("names", "class_names", "symbol_names", "feature_names"):
            if name in result:
                result[name] = [text.decode() for text in result[name]]
        return result

    def refuse(self, kind, *words):
        """What is said where an import is refused: one line."""
        done = subprocess.run(
            [self.program, "import", kind, *words, "-o", self.path("none.h5")],
            capture_output=True, text=True, timeout=60, check=False,
        )
        assert done.returncode in (65, 74), (done.returncode, done.stderr)
        assert done.stderr.count("\n") == 1 and not os.path.exists(self.path("none.h5")), done.stderr
        return done.stderr


def pieces(result, values="inputs", offsets="input_offsets"):
    """The sequences of a result, by name."""
    at = result[offsets]
    return {name: result[values][at[i] : at[i + 1]] for i, name in enumerate(result["names"])}


def targets(result):
    return pieces(result, "targets", "target_offsets" if "target_offsets" in result else "input_offsets")


def assert_same(found, wanted, tolerance):
    import numpy as np

    assert list(found) == list(wanted), (list(found), list(wanted))
    for name, values in wanted.items():
        values = np.asarray(values)
        assert found[name].shape == values.shape, (name, found[name].shape, values.shape)
        worst = np.abs(found[name] - values).max() if values.size else 0
        assert worst <= tolerance, (name, worst)


def compare_kaldi(importer):
    np, kaldiio, native = need("numpy", "kaldiio", "kaldi_native_io")
    rng = np.random.default_rng(1)
    features = {f"speaker-{i}": rng.normal(size=(5 + 3 * i, 4)).astype("f4") for i in range(6)}
    scp, ark = importer.path("feats.scp"), importer.path("feats.ark")

    # Plain, then with each of Kaldi's compressions: what it reads back is what is wanted.
    for method in (None, 1, 2, 3, 5):
        with kaldiio.WriteHelper(f"ark,scp:{ark},{scp}", compression_method=method) as writer:
            for key, values in features.items():
                writer(key, values)
        wanted = dict(kaldiio.load_scp(scp).items())
        tolerance = 1e-6 if method is None else 2e-6
        assert_same(pieces(importer.run("kaldi", scp)), wanted, tolerance)
        assert_same(pieces(importer.run("kaldi", "ark:" + ark)), wanted, tolerance)
    with native.CompressedMatrixWriter(f"ark,scp:{ark},{scp}") as writer:
        for key, values in features.items():
            writer.write(key, values, native.CompressionMethod.kSpeechFeature)
    with native.SequentialFloatMatrixReader("scp:" + scp) as reader:
        wanted = {key: np.array(values) for key, values in reader}
    assert_same(pieces(importer.run("kaldi", scp)), wanted, 1e-6)
    with native.DoubleMatrixWriter("ark,t:" + ark) as writer:
        for key, values in features.items():
            writer.write(key, values.astype("f8"))
    assert_same(pieces(importer.run("kaldi", ark)), features, 1e-5)
    with native.FloatMatrixWriter(f"ark,scp:{ark},{scp}") as writer:
        for key, values in features.items():
            writer.write(key, values)

    # Alignments, in binary and in text, one integer a frame and one for three.
    alignment = {key: rng.integers(0, 7, len(values)) for key, values in features.items()}
    for form in ("ark", "ark,t"):
        with native.Int32VectorWriter(f"{form}:{importer.path('ali.ark')}") as writer:
            for key in reversed(alignment):
                writer.write(key, [int(c) for c in alignment[key]])
        result = importer.run("kaldi", scp, "--alignment", importer.path("ali.ark"))
        assert_same(targets(result), alignment, 0)
        assert "target_offsets" not in result
    with native.Int32VectorWriter("ark:" + importer.path("sub.ark")) as writer:
        for key, values in alignment.items():
            writer.write(key, [int(c) for c in values[::3]])
    result = importer.run("kaldi", scp, "--alignment", importer.path("sub.ark"), "--subsampling", "3")
    assert_same(targets(result), {k: np.repeat(v[::3], 3)[: len(v)] for k, v in alignment.items()}, 0)

    # Ranges, as kaldiio reads them (both ends included, there as a slice).
    with open(scp) as file:
        lines = [line.rstrip("\n") + "[1:3,0:1]\n" for line in file]
    with open(importer.path("range.scp"), "w") as file:
        file.writelines(lines)
    with native.SequentialFloatMatrixReader("scp:" + importer.path("range.scp")) as reader:
        wanted = {key: np.array(values) for key, values in reader}
    assert_same(pieces(importer.run("kaldi", importer.path("range.scp"))), wanted, 1e-6)

    compare_kaldi_labels(importer, features, scp)


def compare_kaldi_labels(importer, features, scp):
    with open(importer.path("symbols"), "w") as file:
        file.write("<eps> 0\nzwei 2\neins 1\ndrei 5\n")
    with open(importer.path("text"), "w") as file:
        for i, key in enumerate(features):
            file.write(f"{key} {' '.join((['eins'] * i + ['drei'])[: i + 1])}\n")
    result = importer.run("kaldi", scp, "--text", importer.path("text"), "--symbols", importer.path("symbols"))
    assert result["class_names"] == ["eins", "zwei", "drei"]
    assert_same(targets(result), {key: [0] * i + [2] for i, key in enumerate(features)}, 0)
    with open(importer.path("labels"), "w") as file:
        for i, key in enumerate(features):
            file.write(f"{key} speaker{i % 2}\n")
    result = importer.run("kaldi", scp, "--labels", importer.path("labels"))
    assert result["class_names"] == ["speaker0", "speaker1"]
    assert list(result["targets"]) == [0, 1] * 3 and list(result["target_offsets"]) == list(range(7))
    with open(importer.path("labels"), "a") as file:
        file.write("nobody speaker0\n")
    assert "nobody: has no features" in importer.refuse("kaldi", scp, "--labels", importer.path("labels"))
    importer.run("kaldi", scp, "--labels", importer.path("labels"), "--unmatched", "skip")
    mark = importer.path("was-run")
    with open(importer.path("evil.scp"), "w") as file:
        file.write(f"u touch {mark} |\n")
    assert "line 1: key u asks for a command" in importer.refuse("kaldi", importer.path("evil.scp"))
    assert not os.path.exists(mark)


KINDS = {"kaldi": compare_kaldi}


def main():
    need("h5py")
    with tempfile.TemporaryDirectory() as folder:
        KINDS[sys.argv[1]](Importer(sys.argv[2], folder))


if __name__ == "__main__":
    main()
