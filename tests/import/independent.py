"""Holds rnn-data import to files that others write: Python's csv module, NumPy and, where it is installed, aeon with its
data. Every value of the dataset has to be the one that was written. Exit code 77: h5py or NumPy is missing.

    independent.py RNN_DATA
"""
import csv
import random
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

try:
    import h5py
    import numpy as np
except ImportError:
    sys.exit(77)

try:
    import aeon.datasets
except ImportError:
    aeon = None

PROGRAM = sys.argv.pop(1)
RNG = np.random.default_rng(1)


def texts(h, name):
    return [t.decode() for t in h[name][:]]


class Import(unittest.TestCase):
    def setUp(self):
        self.place = tempfile.TemporaryDirectory()
        self.folder = Path(self.place.name)

    def tearDown(self):
        self.place.cleanup()

    def run_import(self, *words):
        out = self.folder / "out.h5"
        run = subprocess.run([PROGRAM, "import", *map(str, words), "-o", out], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 0, run.stderr)
        check = subprocess.run([PROGRAM, "check", out], capture_output=True, text=True, timeout=60)
        self.assertEqual(check.returncode, 0, check.stderr)
        return h5py.File(out, "r")

    def refuse(self, *words):
        out = self.folder / "out.h5"
        run = subprocess.run([PROGRAM, "import", *map(str, words), "-o", out], capture_output=True, text=True, timeout=60)
        self.assertEqual(run.returncode, 65, (words, run.stderr))
        self.assertEqual(run.stderr.count("\n"), 1, run.stderr)
        self.assertFalse(out.exists())
        return run.stderr

    # ---- csv ----

    def test_a_table_of_the_csv_module_is_read_in_any_order(self):
        labels = ["no", "yes", 'with "quotes"', "a, comma", "two\nlines", "ünï"]
        truth, rows = {}, []
        for s in range(60):
            T = random.randint(1, 50)
            x, c = RNG.normal(size=(T, 3)).astype("f4"), random.choices(labels, k=T)
            truth[f"s {s}"] = x, c
            rows += [[f"s {s}", t / 10, *(repr(float(v)) for v in x[t]), c[t]] for t in range(T)]
        for order in False, True:
            if order:
                random.shuffle(rows)
            path = self.folder / "t.csv"
            with open(path, "w", newline="", encoding="utf-8-sig") as f:
                writer = csv.writer(f)
                writer.writerow(["the sequence", "t", "a,b", "b", "c", "label"])
                writer.writerows(rows)
            words = ["csv", path, "--sequence", "the sequence", "--target", "label", "--classes", "--inputs", "a\\,b,b,c"]
            h = self.run_import(*words, *(["--order", "t"] if order else []))
            classes, offsets = texts(h, "class_names"), h["input_offsets"][:]
            self.assertEqual(classes, sorted(labels))
            self.assertEqual(texts(h, "feature_names"), ["a,b", "b", "c"])
            self.assertEqual(texts(h, "names"), list(dict.fromkeys(r[0] for r in rows)))
            for s, name in enumerate(texts(h, "names")):
                x, c = truth[name]
                np.testing.assert_array_equal(h["inputs"][offsets[s]:offsets[s + 1]], x)
                self.assertEqual([classes[k] for k in h["targets"][offsets[s]:offsets[s + 1]]], c)
            h.close()

    # ---- npy ----

    def test_pairs_of_files_of_numpy_are_read(self):
        for kind in "f2", "<f4", ">f8", "i2", "u1", ">i4", "?":
            folder = self.folder / ("pairs" + kind.strip("<>?"))
            folder.mkdir(exist_ok=True)
            truth = {}
            for name in "b", "a", "c.d":
                T = int(RNG.integers(1, 30))
                x = (RNG.normal(size=(T, 4)) * 10).clip(0, 100).astype(kind)
                y = RNG.integers(0, 5, size=T)
                np.save(folder / f"{name}.npy", x)
                np.save(folder / f"{name}.target.npy", y)
                truth[name] = x, y
            h = self.run_import("npy", folder)
            offsets = h["input_offsets"][:]
            self.assertEqual(texts(h, "names"), sorted(truth))
            self.assertNotIn("target_offsets", h)
            for s, name in enumerate(sorted(truth)):
                np.testing.assert_array_equal(h["inputs"][offsets[s]:offsets[s + 1]], truth[name][0].astype("f4"))
                np.testing.assert_array_equal(h["targets"][offsets[s]:offsets[s + 1]], truth[name][1])
            h.close()

    def test_every_half_float_is_the_one_of_numpy(self):
        every = np.arange(65536, dtype="u2").view("f2")
        np.save(self.folder / "half.npy", every[np.isfinite(every)][:, None])
        h = self.run_import("npy", self.folder / "half.npy")
        np.testing.assert_array_equal(h["inputs"][:, 0], every[np.isfinite(every)].astype("f4"))
        h.close()

    def test_padded_arrays_are_cut_at_their_lengths(self):
        lengths = RNG.integers(1, 12, size=40)
        X = RNG.normal(size=(40, 12, 3))
        ends = np.cumsum(lengths)
        for save in np.savez, np.savez_compressed:
            for y in RNG.integers(0, 4, 40), RNG.integers(0, 4, (40, 12)), RNG.normal(size=(40, 12, 2)), \
                    RNG.normal(size=(40, 2)), np.array(["up", "down"])[RNG.integers(0, 2, 40)]:
                save(self.folder / "x.npz", X=X, y=y, lengths=lengths)
                h = self.run_import("npy", self.folder / "x.npz")
                np.testing.assert_array_equal(h["input_offsets"][1:], ends)
                np.testing.assert_array_equal(h["inputs"][:], np.concatenate([x[:n] for x, n in zip(X, lengths)]).astype("f4"))
                if y.dtype.kind == "U":
                    self.assertEqual([texts(h, "class_names")[k] for k in h["targets"][:]], list(y))
                elif y.ndim == 1 or y.shape[1] == 2:
                    np.testing.assert_array_equal(h["targets"][:], y.astype("f4") if y.ndim > 1 else y)
                else:
                    cut = np.concatenate([v[:n] for v, n in zip(y, lengths)])
                    np.testing.assert_array_equal(h["targets"][:], cut.astype("f4") if y.ndim > 2 else cut)
                h.close()

    def test_arrays_of_our_own_names_are_read(self):
        lengths, labels = RNG.integers(1, 9, size=25), RNG.integers(0, 4, size=25)
        own = {
            "inputs": RNG.integers(0, 7, size=lengths.sum()), "input_offsets": np.cumsum([0, *lengths]),
            "targets": RNG.integers(0, 3, size=labels.sum()), "target_offsets": np.cumsum([0, *labels]),
            "names": np.array([f"n°{i}" for i in range(25)]), "class_names": np.array(["x", "y", "z"]),
            "symbol_names": np.array([b"a", b"b", b"c", b"d", b"e", b"f", b"g"]),
        }
        np.savez(self.folder / "own.npz", **own)
        folder = self.folder / "own"
        folder.mkdir()
        for name, array in own.items():
            np.save(folder / f"{name}.npy", array)
        for source in self.folder / "own.npz", folder:
            h = self.run_import("npy", source)
            for name in "inputs", "input_offsets", "targets", "target_offsets":
                np.testing.assert_array_equal(h[name][:], own[name])
            self.assertEqual(texts(h, "names"), list(own["names"]))
            self.assertEqual(texts(h, "symbol_names"), list("abcdefg"))
            self.assertEqual(h["inputs"].attrs["n_symbols"], 7)
            h.close()

    def test_arrays_that_lie_are_refused(self):
        path = self.folder / "x.npy"
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
        self.assertIn("pickle", self.refuse("npy", path))
        np.save(path, np.zeros((3, 4)).T)
        self.assertIn("fortran_order", self.refuse("npy", path))
        np.save(path, np.zeros((3, 4)))
        whole = path.read_bytes()
        for n in 0, 5, 9, 40, len(whole) - 1:
            path.write_bytes(whole[:n])
            self.assertIn("x.npy", self.refuse("npy", path))
        path.write_bytes(whole.replace(b"(3, 4)", b"(9000000000000000000, 4)"))
        self.refuse("npy", path)
        path.write_bytes(whole.replace(b"(3, 4)", b"(3000000, 4)"))
        self.assertIn("header", self.refuse("npy", path))
        np.save(path, np.array([[1.0, np.nan]]))
        self.assertIn("--missing", self.refuse("npy", path))

    def test_damaged_archives_are_refused(self):
        path = self.folder / "x.npz"
        np.savez_compressed(path, X=RNG.normal(size=(9, 8, 2)), y=np.arange(9))
        whole = bytearray(path.read_bytes())
        for n in 10, 200, len(whole) - 30:
            path.write_bytes(whole[:n])
            self.assertIn("x.npz", self.refuse("npy", path))
        whole[300] ^= 255
        path.write_bytes(whole)
        self.assertIn("X.npy", self.refuse("npy", path))
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("X.npy", b"\x93NUMPY\x01\x00\xff\xff{")
        self.assertIn("X.npy", self.refuse("npy", path))

    # ---- ts ----

    @unittest.skipIf(aeon is None, "aeon is missing")
    def test_bundled_sets_are_those_that_aeon_loads(self):
        place = Path(aeon.datasets.__file__).parent / "data"
        for name in "JapaneseVowels", "BasicMotions", "PickupGestureWiimoteZ", "ItalyPowerDemand", "UnitTest", "CardanoSentiment":
            for part in "TRAIN", "TEST":
                path = place / name / f"{name}_{part}.ts"
                X, y, header = aeon.datasets.load_from_ts_file(str(path), return_meta_data=True)
                h = self.run_import("ts", path)
                offsets = h["input_offsets"][:]
                self.assertEqual(len(offsets), len(X) + 1)
                for s, x in enumerate(X):
                    np.testing.assert_array_equal(h["inputs"][offsets[s]:offsets[s + 1]], np.asarray(x).T.astype("f4"))
                if header["targetlabel"]:
                    np.testing.assert_array_equal(h["targets"][:, 0], y.astype("f4"))
                else:
                    self.assertEqual([texts(h, "class_names")[k].lower() for k in h["targets"][:]], [v.lower() for v in y])
                h.close()

    @unittest.skipIf(aeon is None, "aeon is missing")
    def test_other_forms_are_those_that_aeon_loads(self):
        place = Path(aeon.datasets.__file__).parent / "data"
        for path, load in [(p, aeon.datasets.load_from_arff_file) for p in place.rglob("*.arff")] + \
                [(p, aeon.datasets.load_from_tsv_file) for p in place.rglob("*_TRAIN.tsv")]:
            X, y = load(str(path))
            h = self.run_import("ts", path)
            inputs = h["inputs"][:].reshape(len(X), -1, X.shape[1]).transpose(0, 2, 1)
            np.testing.assert_array_equal(inputs, X.astype("f4"))
            self.assertEqual([texts(h, "class_names")[k] for k in h["targets"][:]], [str(v) for v in y])
            h.close()

    def test_all_forms_of_a_series_are_one(self):
        X = [RNG.normal(size=(2, int(n))).astype("f4") for n in RNG.integers(3, 9, size=12)]
        y = [("walk", "run 2")[i % 2].replace(" ", "_") for i in range(12)]
        rows = [[",".join(repr(float(v)) for v in d) for d in x] for x in X]
        ts = "# a comment\n@problemName p\n@univariate false\n@dimensions 2\n@equalLength false\n" \
            "@classLabel true walk run_2\n@data\n" + "".join(f"{':'.join(r)}:{c}\n" for r, c in zip(rows, y))
        longest = max(x.shape[1] for x in X)
        pad = [[d + ",?" * (longest - x.shape[1]) for d in r] for r, x in zip(rows, X)]
        arff = "%c\n@relation p\n@attribute r relational\n@attribute t0 numeric\n@end r\n" \
            "@attribute class {walk,run_2}\n@data\n" + "".join("'" + "\\n".join(r) + f"',{c}\n" for r, c in zip(pad, y))
        for form, text in ("ts", ts), ("arff", arff):
            path = self.folder / f"x.{form}"
            path.write_text(text)
            h = self.run_import("ts", path)
            np.testing.assert_array_equal(h["inputs"][:], np.concatenate([x.T for x in X]))
            np.testing.assert_array_equal(np.diff(h["input_offsets"][:]), [x.shape[1] for x in X])
            self.assertEqual(texts(h, "class_names"), ["walk", "run_2"])
            self.assertEqual([texts(h, "class_names")[k] for k in h["targets"][:]], y)
            h.close()
        tsv = "".join("\t".join([str(i % 3 - 1), *r[0].split(","), *["NaN"] * (longest - x.shape[1])]) + "\n"
                      for i, (r, x) in enumerate(zip(rows, X)))
        (self.folder / "x.tsv").write_text(tsv)
        h = self.run_import("ts", self.folder / "x.tsv")
        np.testing.assert_array_equal(h["inputs"][:, 0], np.concatenate([x[0] for x in X]))
        self.assertEqual(texts(h, "class_names"), ["-1", "0", "1"])
        h.close()

    # ---- text ----

    def test_symbols_of_text_are_characters_or_words(self):
        lines = ["ein Haus", "zwei Häuser", "drei €", "vier 𝄞 fünf"]
        path = self.folder / "x.txt"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8-sig")
        h = self.run_import("text", path)
        symbols = texts(h, "symbol_names")
        self.assertEqual(symbols, sorted(set("".join(lines))))
        self.assertEqual(texts(h, "class_names"), symbols)
        offsets = h["input_offsets"][:]
        for s, line in enumerate(lines):
            self.assertEqual("".join(symbols[k] for k in h["inputs"][offsets[s]:offsets[s + 1]]), line[:-1])
            self.assertEqual("".join(symbols[k] for k in h["targets"][offsets[s]:offsets[s + 1]]), line[1:])
        h.close()
        path.write_text("".join(f"{line}\t{len(line)}\r\n" for line in lines))
        h = self.run_import("text", path, "--to", "label", "--units", "words", "--least", "2")
        self.assertEqual(texts(h, "symbol_names"), ["<unk>"])
        self.assertEqual([texts(h, "class_names")[k] for k in h["targets"][:]], [str(len(line)) for line in lines])
        h.close()
        path.write_text("".join(f"{line}\t{line[::-1]}\n" for line in lines))
        h = self.run_import("text", path, "--to", "pair", "--target-units", "characters", "--units", "words")
        offsets = h["target_offsets"][:]
        for s, line in enumerate(lines):
            self.assertEqual("".join(texts(h, "class_names")[k] for k in h["targets"][offsets[s]:offsets[s + 1]]), line[::-1])
        self.assertEqual(texts(h, "symbol_names"), sorted({w for line in lines for w in line.split()}))
        h.close()


if __name__ == "__main__":
    random.seed(1)
    unittest.main()
