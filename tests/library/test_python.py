"""The Python module against what rnn-predict wrote, and what it refuses. Usage: test_python.py RUN DATA PREDICTED"""

import sys
import threading

import h5py
import numpy
import rnn_train

checks = failures = 0


def claim(what, holds):
    global checks, failures
    checks += 1
    if not holds:
        failures += 1
        print("not so:", what)


def refused(kind, call, *arguments):
    try:
        call(*arguments)
    except kind:
        return True
    return False


run, data, predicted = sys.argv[1:]
with h5py.File(data) as file:
    offsets = file["input_offsets"][()]
    sequences = numpy.split(file["inputs"][()], offsets[1:-1])
    names = file["class_names"].asstr()[()].tolist()
with h5py.File(predicted) as file:
    wanted = numpy.split(file["outputs"][()], offsets[1:-1])
    labels = numpy.split(file["labels"][()], offsets[1:-1])

model = rnn_train.Model(run)
claim("names", model.class_names == names and model.feature_names is None)
claim("sizes", (model.inputs, model.width, model.classes, model.directions) == (2, 2, 2, 1))
outputs = model(sequences)
claim("bits of rnn-predict", all(numpy.array_equal(o.values, w) for o, w in zip(outputs, wanted)))
claim("labels of rnn-predict", all(numpy.array_equal(o.labels, w) for o, w in zip(outputs, labels)))
claim("bits of one alone", numpy.array_equal(model(sequences[3]).values, wanted[3]))
claim("bits of whatever layout", numpy.array_equal(model(numpy.asfortranarray(sequences[3])).values, wanted[3]))
with model.stream() as stream:
    rows = [stream.push(sequences[3][t : t + 1]).values for t in range(len(sequences[3]))]
    claim("bits of a stream", numpy.array_equal(numpy.concatenate(rows), wanted[3]))
    claim("nothing is held back", len(stream.end().values) == 0)
claim("no sequences", model([]) == [])
claim("NaN", refused(rnn_train.Error, model, numpy.full((3, 2), numpy.nan)))
claim("three features", refused(ValueError, model, numpy.zeros((4, 3))))
claim("a sequence of no frames", refused(rnn_train.Error, model, numpy.zeros((0, 2))))
claim("a beam", refused(rnn_train.Error, model, sequences[0], 4))
claim("no checkpoint", refused(rnn_train.Error, rnn_train.Model, data))
claim("a closed stream", refused(ValueError, stream.push, sequences[0]))
left = model.stream()
model.close()
claim("a closed model", refused(ValueError, model, sequences[0]) and refused(ValueError, left.push, sequences[0]))
claim("a set without n_classes", refused(ValueError, rnn_train.write_dataset, "x.h5", [[[1]]], [[1]]))


def run_alone(found):
    with rnn_train.Model(run) as own:
        found.append(all(numpy.array_equal(o.values, w) for o, w in zip(own(sequences), wanted)))


found = []
threads = [threading.Thread(target=run_alone, args=[found]) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
claim("threads", found == [True, True])

metrics = rnn_train.read_metrics(run)
claim("metrics", list(metrics["epoch"][metrics["split"] == "valid"]) == [1, 2, 3, 4, 5])
print(f"Checks: {checks}, Failures: {failures}, Errors: 0")
sys.exit(failures > 0)
