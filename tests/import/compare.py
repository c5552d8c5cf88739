"""Imports what other programs have written, and compares with what they read of it themselves.

compare.py KIND RNN_DATA: exit code 77 where a module that KIND needs is missing. Of these Debian has h5py, NumPy and netCDF4;
kaldiio, kaldi_native_io, returnn, python_speech_features and soundfile come from PyPI, into an environment whose Python then
runs this by hand.
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


def compare_htk(importer):
    np, native = need("numpy", "kaldi_native_io")
    import struct

    rng = np.random.default_rng(2)
    features = {f"file{i}": rng.normal(size=(6 + i, 3)).astype(">f4") for i in range(4)}
    paths = []
    for key, values in features.items():
        paths.append(importer.path(key + ".mfc"))
        with open(paths[-1], "wb") as file:
            file.write(struct.pack(">iihH", len(values), 100000, 12, 9) + values.tobytes())
    with open(importer.path("list.scp"), "w") as file:
        file.writelines(f"{key} {path}\n" for key, path in zip(features, paths))
    with native.SequentialHtkMatrixReader("scp:" + importer.path("list.scp")) as reader:
        wanted = {key: np.array(value[0] if isinstance(value, tuple) else value) for key, value in reader}
    assert_same(pieces(importer.run("htk", *paths)), wanted, 0)
    assert_same(pieces(importer.run("htk", importer.path("list.scp"))), wanted, 0)

    # Frames are 10 ms apart: a from 0 to 2, nothing at 2, b from 3 on, beyond the last frame.
    with open(importer.path("x.mlf"), "w") as file:
        file.write("#!MLF!#\n")
        for key in features:
            file.write(f'"*/{key}.lab"\n0 200000 a\n300000 9000000 b -1.5\n.\n')
    result = importer.run("htk", *paths, "--mlf", importer.path("x.mlf"))
    assert result["class_names"] == ["a", "b"]
    assert_same(targets(result), {k: [0, 0, -1] + [1] * (len(v) - 3) for k, v in features.items()}, 0)
    with open(importer.path("y.mlf"), "w") as file:
        file.write("#!MLF!#\n")
        for key in features:
            file.write(f'"*/{key}.lab"\nb\na\n.\n')
    result = importer.run("htk", *paths, "--mlf", importer.path("y.mlf"))
    assert_same(targets(result), {key: [1, 0] for key in features}, 0)
    with open(paths[0], "rb") as file:
        whole = file.read()
    with open(importer.path("cut.mfc"), "wb") as file:
        file.write(whole[:-1])
    assert "cut off" in importer.refuse("htk", importer.path("cut.mfc"))


def write_netcdf(netcdf, path, form, sequences, more):
    """`more` adds what is no input: a function of the open file."""
    np = need("numpy")[0]
    with netcdf.Dataset(path, "w", format=form) as file:
        file.createDimension("numSeqs", len(sequences))
        file.createDimension("numTimesteps", sum(map(len, sequences.values())))
        file.createDimension("inputPattSize", 3)
        file.createDimension("maxSeqTagLength", 20)
        lengths = file.createVariable("seqLengths", "i4", ("numSeqs",))
        inputs = file.createVariable("inputs", "f4", ("numTimesteps", "inputPattSize"))
        tags = file.createVariable("seqTags", "S1", ("numSeqs", "maxSeqTagLength"))
        lengths[:] = [len(values) for values in sequences.values()]
        inputs[:] = np.concatenate(list(sequences.values()))
        tags[:] = characters(list(sequences), 20)
        more(file)


def characters(texts, width):
    np = need("numpy")[0]
    return np.array([list(text.ljust(width, "\0")) for text in texts], "S1")


FORMS = ("NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA", "NETCDF4", "NETCDF4_CLASSIC")


def compare_currennt(importer):
    np, netcdf = need("numpy", "netCDF4")
    rng = np.random.default_rng(3)
    sequences = {f"s {i}": rng.normal(size=(4 + i, 3)).astype("f4") for i in range(5)}
    frames = sum(map(len, sequences.values()))
    classes, values = rng.integers(0, 4, frames), rng.normal(size=(frames, 2)).astype("f4")

    def with_classes(file):
        file.createDimension("numLabels", 4)
        file.createDimension("maxLabelLength", 6)
        file.createVariable("targetClasses", "i4", ("numTimesteps",))[:] = classes
        file.createVariable("labels", "S1", ("numLabels", "maxLabelLength"))[:] = characters(["a", "b", "c", "longer"], 6)

    def with_values(file):
        file.createDimension("targetPattSize", 2)
        file.createVariable("targetPatterns", "f4", ("numTimesteps", "targetPattSize"))[:] = values

    path = importer.path("x.nc")
    for form in FORMS:
        write_netcdf(netcdf, path, form, sequences, with_classes)
        result = importer.run("currennt", path)
        assert_same(pieces(result), sequences, 0)
        assert result["class_names"] == ["a", "b", "c", "longer"] and np.array_equal(result["targets"], classes)
        write_netcdf(netcdf, path, form, sequences, with_values)
        result = importer.run("currennt", path)
        assert_same(pieces(result), sequences, 0)
        assert np.array_equal(result["targets"], values)
    compare_cut_netcdf(importer, netcdf, sequences, with_classes)
    compare_ncgen(importer)


def compare_cut_netcdf(importer, netcdf, sequences, more):
    """However much of the file is missing, it is refused."""
    path = importer.path("whole.nc")
    for form in FORMS:
        write_netcdf(netcdf, path, form, sequences, more)
        with open(path, "rb") as file:
            whole = file.read()
        for size in sorted({len(whole) - 4, len(whole) - 40, len(whole) // 2, len(whole) // 4, 9, 3, 0}):
            with open(importer.path("cut.nc"), "wb") as file:
                file.write(whole[:size])
            importer.refuse("currennt", importer.path("cut.nc"))


def compare_ncgen(importer):
    """Sequences and frames as dimensions that grow, so that the rows of all variables are mixed."""
    import shutil

    text = """netcdf a { dimensions: numTimesteps = UNLIMITED ; numSeqs = 2 ; inputPattSize = 3 ; numLabels = 4 ;
        variables: int seqLengths(numSeqs) ; float inputs(numTimesteps, inputPattSize) ; short odd(numTimesteps) ;
        byte targetClasses(numTimesteps) ;
        data: seqLengths = 2, 3 ; inputs = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15 ; odd = 1,2,3,4,5 ;
        targetClasses = 0,1,2,3,0 ; }"""
    if not shutil.which("ncgen"):
        print("ncgen is missing")
        return
    with open(importer.path("a.cdl"), "w") as file:
        file.write(text)
    for form in ("classic", "64-bit-offset", "netCDF-4"):
        subprocess.run(["ncgen", "-k", form, "-o", importer.path("a.nc"), importer.path("a.cdl")], check=True)
        result = importer.run("currennt", importer.path("a.nc"))
        assert result["inputs"].tolist() == [[3 * i + 1, 3 * i + 2, 3 * i + 3] for i in range(5)]
        assert list(result["targets"]) == [0, 1, 2, 3, 0] and list(result["input_offsets"]) == [0, 2, 5]


def compare_rnnlib(importer):
    np, netcdf = need("numpy", "netCDF4")
    rng = np.random.default_rng(4)
    sequences = {f"s{i}": rng.normal(size=(4 + i, 3)).astype("f4") for i in range(5)}
    frames = sum(map(len, sequences.values()))
    classes, values = rng.integers(-1, 3, frames), rng.normal(size=(5, 2)).astype("f4")
    strings = ["c a b", "", "b", "a a", "c"]
    path = importer.path("x.nc")

    def labels(file):
        file.createDimension("numLabels", 3)
        file.createDimension("maxLabelLength", 4)
        file.createVariable("labels", "S1", ("numLabels", "maxLabelLength"))[:] = characters("cab", 4)

    def with_strings(texts):
        def write(file):
            labels(file)
            file.createDimension("maxTargStringLength", 12)
            file.createVariable("targetStrings", "S1", ("numSeqs", "maxTargStringLength"))[:] = characters(texts, 12)

        return write

    def with_classes(file):
        labels(file)
        file.createVariable("targetClasses", "i4", ("numTimesteps",))[:] = classes

    def with_values(file):
        file.createDimension("targetPattSize", 2)
        file.createVariable("targetPatterns", "f4", ("numSeqs", "targetPattSize"))[:] = values

    for form in FORMS:
        write_netcdf(netcdf, path, form, sequences, with_strings(strings))
        result = importer.run("rnnlib", path)
        assert result["class_names"] == ["c", "a", "b"]
        assert_same(pieces(result), sequences, 0)
        assert_same(targets(result), dict(zip(sequences, [[0, 1, 2], [], [2], [1, 1], [0]])), 0)
        write_netcdf(netcdf, path, form, sequences, with_classes)
        assert np.array_equal(importer.run("rnnlib", path)["targets"], classes)
        write_netcdf(netcdf, path, form, sequences, with_values)
        result = importer.run("rnnlib", path)
        assert np.array_equal(result["targets"], values) and list(result["target_offsets"]) == list(range(6))
    write_netcdf(netcdf, path, "NETCDF3_CLASSIC", sequences, with_strings(list("cabca")))
    result = importer.run("rnnlib", path)
    assert list(result["targets"]) == [0, 1, 2, 0, 1] and list(result["target_offsets"]) == list(range(6))
    result = importer.run("rnnlib", path, "--task", "transcription")
    assert list(result["targets"]) == [0, 1, 2, 0, 1]
    assert "--task" in importer.refuse("rnnlib", path, "--task", "regression")


def compare_returnn(importer):
    np, hdf = need("numpy", "returnn.datasets.hdf")
    rng = np.random.default_rng(5)
    lengths = [5, 3, 7]
    features = {f"t{i}": rng.normal(size=(n, 4)).astype("f4") for i, n in enumerate(lengths)}
    path = importer.path("x.hdf")

    def write(values, **more):
        if os.path.exists(path):
            os.remove(path)
        dim = next(iter(values.values())).shape[1:]
        writer = hdf.SimpleHDFWriter(path, dim=dim[0] if dim else more.pop("symbols"), ndim=2 if dim else 1, **more)
        return writer

    def insert(writer, values, extra):
        for i, (tag, rows) in enumerate(values.items()):
            writer.insert_batch(
                rows[None], seq_len=[len(rows)], seq_tag=[tag], extra={k: v[i][None] for k, v in extra.items()})
        writer.close()

    frame = [rng.integers(0, 6, n).astype("i4") for n in lengths]
    words = [rng.integers(0, 9, n).astype("i4") for n in (2, 4, 1)]
    dense = [rng.normal(size=(n, 2)).astype("f4") for n in lengths]
    insert(write(features, extra_type={"align": (6, 1, "int32"), "classes": (9, 1, "int32"), "dense": (2, 2, "float32")}),
        features, {"align": frame, "classes": words, "dense": dense})
    read = hdf.HDFDataset([path])
    read.initialize()
    read.init_seq_order(epoch=1)
    read.load_seqs(0, 3)
    wanted = {read.get_tag(i): read.get_data(i, "data") for i in range(3)}
    result = importer.run("returnn", path, "--target", "align")
    assert_same(pieces(result), wanted, 0)
    assert_same(targets(result), {read.get_tag(i): read.get_data(i, "align") for i in range(3)}, 0)
    assert "target_offsets" not in result and result["attributes"]["targets"]["n_classes"] == 6
    result = importer.run("returnn", path, "--target", "classes")
    assert_same(targets(result), {read.get_tag(i): read.get_data(i, "classes") for i in range(3)}, 0)
    result = importer.run("returnn", path, "--target", "dense")
    assert_same(targets(result), {read.get_tag(i): read.get_data(i, "dense") for i in range(3)}, 0)
    assert "align, classes, dense: name one of them" in importer.refuse("returnn", path)

    symbols = {tag: rng.integers(0, 8, n).astype("i4") for tag, n in zip(features, lengths)}
    insert(write(symbols, symbols=8, labels=list("abcdefgh")), symbols, {})
    result = importer.run("returnn", path)
    assert_same(pieces(result), symbols, 0)
    assert result["attributes"]["inputs"]["n_symbols"] == 8 and result["symbol_names"] == list("abcdefgh")


def compare_audio(importer):
    np, soundfile, speech = need("numpy", "soundfile", "python_speech_features")
    rng = np.random.default_rng(6)
    for rate in (8000, 16000, 22050, 44100):
        points = 512
        while points < 0.025 * rate:
            points *= 2
        wanted = {"mfcc": {}, "fbank": {}, "raw": {}, "deltas": {}}
        paths = []
        for i, seconds in enumerate((0.01, 0.5, 0.777)):
            t = np.arange(int(seconds * rate)) / rate
            tone = 8000 * np.sin(2 * np.pi * (200 + 300 * t) * t) + 300 * rng.normal(size=t.size)
            tone[t.size // 3 : t.size // 2] = 0 if i == 1 else tone[t.size // 3 : t.size // 2]
            samples = tone.astype("i2")
            name = f"r{i}"
            paths.append(importer.path(name + (".flac" if i == 2 else ".wav")))
            soundfile.write(paths[-1], samples, rate)
            cepstra = speech.mfcc(samples, rate, nfft=points)
            slopes = speech.delta(cepstra, 2)
            wanted["mfcc"][name] = cepstra
            wanted["fbank"][name] = speech.logfbank(samples, rate, nfft=points)
            wanted["raw"][name] = (samples / 32768.0)[:, None]
            wanted["deltas"][name] = np.hstack([cepstra, slopes, speech.delta(slopes, 2)])
        for kind, values in wanted.items():
            words = ["--deltas", "2"] if kind == "deltas" else ["--features", kind]
            result = importer.run("audio", *paths, *words)
            assert_same(pieces(result), values, 0 if kind == "raw" else 1e-4)
    with open(importer.path("labels"), "w") as file:
        file.write("r0 yes\nr1 no\nr2 yes\n")
    result = importer.run("audio", *paths, "--labels", importer.path("labels"))
    assert result["class_names"] == ["no", "yes"] and list(result["targets"]) == [1, 0, 1]
    soundfile.write(importer.path("two.wav"), np.zeros((1000, 2)), 16000)
    assert "2 channels" in importer.refuse("audio", importer.path("two.wav"))
    assert importer.run("audio", importer.path("two.wav"), "--features", "raw")["inputs"].shape == (1000, 2)
    with open(paths[2], "rb") as file:
        whole = file.read()
    with open(importer.path("cut.flac"), "wb") as file:
        file.write(whole[: len(whole) // 2])
    importer.refuse("audio", importer.path("cut.flac"))


KINDS = {
    "kaldi": compare_kaldi,
    "htk": compare_htk,
    "currennt": compare_currennt,
    "rnnlib": compare_rnnlib,
    "returnn": compare_returnn,
    "audio": compare_audio,
}


def main():
    need("h5py")
    with tempfile.TemporaryDirectory() as folder:
        KINDS[sys.argv[1]](Importer(sys.argv[2], folder))


if __name__ == "__main__":
    main()
