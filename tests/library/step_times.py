"""The figures of step_times.c of PyTorch and of onnxruntime, as far as they are there, on one core:

    python3 step_times.py [STEPS]

Each step is a call with one frame that takes states and gives those for the next. The model of onnxruntime is made of the
operators that rnn-model export writes, and takes states as inputs beside the frame.
"""

import statistics
import sys
import time

import numpy as np

ROUNDS, FEATURES, CLASSES, FRAMES = 11, 64, 61, 200
STEPS = int(sys.argv[1]) if len(sys.argv) > 1 else 10000


def measure(step, hidden, name):
    """Prints the median of rounds, of which the first is not counted; step(i) is one step on frame i."""
    seconds = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        for i in range(STEPS):
            step(i % FRAMES)
        seconds.append(time.perf_counter() - start)
    microseconds = statistics.median(seconds[1:]) / STEPS * 1e6
    print(f"cell=lstm layers=2 hidden={hidden} microseconds_per_step={microseconds:.3f} ({name})", flush=True)


def time_torch(hidden):
    import torch

    torch.set_num_threads(1)
    x = torch.rand(FRAMES, 1, 1, FEATURES) * 2 - 1
    rnn = torch.nn.LSTM(FEATURES, hidden, num_layers=2)
    head = torch.nn.Linear(hidden, CLASSES)
    state = None

    def step(i):
        nonlocal state
        y, state = rnn(x[i], state)
        torch.softmax(head(y), -1)

    with torch.no_grad():
        measure(step, hidden, f"PyTorch {torch.__version__}")


def make_model(hidden):
    """Two LSTMs, a head and softmax, as bytes; states are inputs h0, c0, h1, c1 and outputs h0_next and so on."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(1)
    nodes, weights, inputs, outputs = [], [], [("x", [1, 1, FEATURES])], [("y", [1, 1, CLASSES])]

    def weight(name, *shape):
        values = rng.uniform(-1, 1, shape) / hidden**0.5
        weights.append(numpy_helper.from_array(values.astype("f4"), name))
        return name

    rows, width = "x", FEATURES
    for layer in (0, 1):
        h, c = f"h{layer}", f"c{layer}"
        tensors = [weight(f"W{layer}", 1, 4 * hidden, width), weight(f"R{layer}", 1, 4 * hidden, hidden)]
        tensors.append(weight(f"B{layer}", 1, 8 * hidden))
        made = [f"rows{layer}", f"{h}_next", f"{c}_next"]
        nodes.append(helper.make_node("LSTM", [rows, *tensors, "", h, c], made, hidden_size=hidden))
        weights.append(numpy_helper.from_array(np.int64([0, 0, -1]), f"shape{layer}"))
        nodes.append(helper.make_node("Transpose", [f"rows{layer}"], [f"turned{layer}"], perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"turned{layer}", f"shape{layer}"], [f"joined{layer}"]))
        inputs += [(h, [1, 1, hidden]), (c, [1, 1, hidden])]
        outputs += [(f"{h}_next", [1, 1, hidden]), (f"{c}_next", [1, 1, hidden])]
        rows, width = f"joined{layer}", hidden
    nodes.append(helper.make_node("MatMul", [rows, weight("head", hidden, CLASSES)], ["product"]))
    nodes.append(helper.make_node("Add", ["product", weight("bias", CLASSES)], ["sum"]))
    nodes.append(helper.make_node("Softmax", ["sum"], ["y"], axis=-1))
    values = [[helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in v] for v in (inputs, outputs)]
    graph = helper.make_graph(nodes, "steps", *values, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def time_onnxruntime(hidden):
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(make_model(hidden), options, providers=["CPUExecutionProvider"])
    x = np.random.default_rng(2).uniform(-1, 1, (FRAMES, 1, 1, FEATURES)).astype("f4")
    states = {name: np.zeros((1, 1, hidden), "f4") for name in ("h0", "c0", "h1", "c1")}
    wanted = ["y"] + [f"{name}_next" for name in states]

    def step(i):
        made = session.run(wanted, {"x": x[i], **states})
        states.update(zip(states, made[1:]))

    measure(step, hidden, f"onnxruntime {onnxruntime.__version__}")


for kind in (time_torch, time_onnxruntime):
    try:
        for size in (64, 256):
            kind(size)
    except ImportError as error:
        print(f"not timed: {error}", file=sys.stderr)
