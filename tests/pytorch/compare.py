"""Compares the production network with PyTorch.

    compare.py DUMP_NET

For every cell, one and two layers, one and two directions, and the kinds of output, loss and input: dump_net
writes a checkpoint and what the network made of a few sequences. The checkpoint's /model group is loaded as
it is into a PyTorch module; its outputs, loss and every gradient must agree to 1e-4 of each tensor's largest
magnitude. PyTorch computes in double. Exit code 77: PyTorch or h5py is missing.
"""

import functools
import itertools
import os
import subprocess
import sys
import tempfile

try:
    import h5py
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-4
HUBER_DELTA = 0.5  # of dump_net
CELLS = {
    "rnn": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "gru": (torch.nn.GRU, {}),
}


class Network(torch.nn.Module):
    """{ [embedding], rnn, head }: the module whose state dictionary /model is."""

    def __init__(self, cell, layers, directions, output, state):
        super().__init__()
        kind, options = CELLS[cell]
        hidden = state["rnn.weight_hh_l0"].shape[1]
        inputs = state["rnn.weight_ih_l0"].shape[1]
        if "embedding.weight" in state:
            self.embedding = torch.nn.Embedding(*state["embedding.weight"].shape)
        self.rnn = kind(inputs, hidden, layers, bidirectional=directions == 2, **options)
        self.head = torch.nn.Linear(directions * hidden, state["head.bias"].shape[0])
        self.inputs, self.hidden, self.output = inputs, hidden, output

    def forward(self, x):
        if not x.is_floating_point():
            one_hot = torch.nn.functional.one_hot
            x = self.embedding(x) if hasattr(self, "embedding") else one_hot(x, self.inputs)
        y = self.rnn(x.double().unsqueeze(1))[0].squeeze(1)
        if self.output == "sequence":
            y = torch.cat([y[-1, : self.hidden], y[0, self.hidden :]]).unsqueeze(0)
        return self.head(y)


def outputs_of(activations, loss):
    if loss == "softmax":
        return activations.softmax(-1)
    return activations.sigmoid() if loss == "sigmoid" else activations


def ctc_loss_of(activations, targets, lengths, target_lengths):
    """Summed over sequences of these lengths; the blank is the last class."""
    logarithms = torch.nn.utils.rnn.pad_sequence(activations.log_softmax(-1).split(lengths))
    return torch.nn.functional.ctc_loss(logarithms, targets.long(), torch.tensor(lengths),
                                        torch.tensor(target_lengths), blank=activations.shape[1] - 1,
                                        reduction="sum")


def loss_of(activations, targets, loss):
    functional = torch.nn.functional
    if loss == "softmax":
        return functional.cross_entropy(activations, targets.long(), reduction="sum")
    if loss == "sigmoid":
        return functional.binary_cross_entropy_with_logits(activations, targets.double(), reduction="sum")
    function = {"mse": functional.mse_loss, "mae": functional.l1_loss,
                "huber": functools.partial(functional.huber_loss, delta=HUBER_DELTA)}[loss]
    return function(activations, targets.double(), reduction="none").mean(1).sum()


def difference(got, want):
    got, want = torch.as_tensor(got).double(), want.detach().double()
    if got.shape != want.shape:
        return float("inf")
    return ((got - want).abs().max() / want.abs().max().clamp_min(1e-30)).item()


def compare(dump_net, folder, case):
    """Names of what differs, each with how much."""
    cell, layers, directions, output, loss, _ = case
    dump_path, checkpoint_path = os.path.join(folder, "dump.h5"), os.path.join(folder, "checkpoint.h5")
    subprocess.run([dump_net, *map(str, case), dump_path, checkpoint_path], check=True)
    with h5py.File(checkpoint_path, "r") as f:
        state = {k: torch.from_numpy(v[()]) for k, v in f["model"].items()}
    network = Network(cell, layers, directions, output, state)
    network.load_state_dict(state, strict=True)
    network.double()
    with h5py.File(dump_path, "r") as f:
        names = ("inputs", "input_offsets", "targets", "target_offsets", "outputs", "loss")
        dump = {k: torch.from_numpy(f[k][()]) for k in names}
        gradient = {k: torch.from_numpy(v[()]) for k, v in f["gradient"].items()}

    sequences = dump["inputs"].long() if dump["inputs"].dtype == torch.int32 else dump["inputs"]
    lengths = dump["input_offsets"].diff().tolist()
    activations = torch.cat([network(x) for x in sequences.split(lengths)])
    if output == "ctc":
        total = ctc_loss_of(activations, dump["targets"], lengths, dump["target_offsets"].diff().tolist())
    else:
        total = loss_of(activations, dump["targets"], loss)
    total.backward()
    found = {"outputs": difference(dump["outputs"], outputs_of(activations, loss)),
             "loss": difference(dump["loss"], total.reshape(1))}
    parameters = dict(network.named_parameters())
    if set(parameters) != set(gradient):
        found["names"] = float("inf")
    for name, parameter in parameters.items():
        if name in gradient:
            found["gradient of " + name] = difference(gradient[name], parameter.grad)
    return {name: value for name, value in found.items() if not value <= TOLERANCE}, max(found.values())


def main():
    dump_net = sys.argv[1]
    cases = list(itertools.product(CELLS, (1, 2), (1, 2), ("frame", "sequence"), ("softmax",), ("real",)))
    cases += itertools.product(CELLS, (2,), (2,), ("frame",), ("sigmoid", "mse"), ("symbols", "embedding"))
    cases += itertools.product(CELLS, (1,), (2,), ("sequence",), ("huber", "mae"), ("real",))
    cases += itertools.product(CELLS, (1, 2), (1, 2), ("ctc",), ("softmax",), ("real", "embedding"))
    failed, worst = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for case in cases:
            wrong, most = compare(dump_net, folder, case)
            worst = max(worst, most)
            for name, value in wrong.items():
                print(f"{' '.join(map(str, case))}: {name} differs by {value:.3g}")
            failed += bool(wrong)
    print(f"{len(cases)} networks, {failed} differ; largest difference {worst:.3g}, allowed {TOLERANCE:.3g}")
    sys.exit(1 if failed else 0)


main()
