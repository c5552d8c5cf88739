"""Compares the production network with PyTorch.

    compare.py DUMP_NET DUMP_DECODER

For every cell, one and two layers, one and two directions, and the kinds of output, loss, input and
attention: dump_net or dump_decoder writes a checkpoint and what the network made of a few sequences. The
checkpoint's /model group is loaded as it is into a PyTorch module; its outputs (of a decoder: the losses of
the sequences), loss and every gradient must agree to 1e-4 of each tensor's largest magnitude. PyTorch
computes in double. Exit code 77: PyTorch or h5py is missing.
"""

import functools
import os
import subprocess
import sys
import tempfile
from itertools import product

try:
    import h5py
    import torch
except ImportError as missing:
    print(f"skipped: {missing}")
    sys.exit(77)

TOLERANCE = 1e-4
HUBER_DELTA, QUANTILES = 0.5, (0.1, 0.5, 0.75)  # of dump.h
VALUE_LOSSES = ("huber", "mae", "logcosh", "quantile", "gaussian")


class Alone(torch.nn.Module):
    """Cells whose units see their own past alone, with the tensors of torch.nn.RNN but W_hh and b_hh."""

    gates = 1

    def __init__(self, inputs, hidden, layers, bidirectional=False):
        super().__init__()
        self.hidden_size, self.layers, self.ways = hidden, layers, ["", "_reverse"][: 1 + bidirectional]
        for layer in range(layers):
            for way in self.ways:
                width = inputs if layer == 0 else hidden * len(self.ways)
                for name, *shape in (("weight_ih", self.gates * hidden, width), ("bias_ih", self.gates * hidden),
                                     *self.own(hidden)):
                    self.register_parameter(f"{name}_l{layer}{way}", torch.nn.Parameter(torch.zeros(*shape)))

    def own(self, hidden):
        return ()

    def run(self, x, layer, way, h):
        """x [T, 1, I], or reversed; all h [T, 1, H]."""
        end = f"_l{layer}{way}"
        a = x @ getattr(self, "weight_ih" + end).T + getattr(self, "bias_ih" + end)
        steps = []
        for sums in a:
            h = self.step(sums, h, end)
            steps.append(h)
        return torch.stack(steps)

    def forward(self, x, start=None):
        for layer in range(self.layers):
            zero = torch.zeros(1, self.hidden_size, dtype=x.dtype)
            h = zero if start is None else start[layer]
            ways = [self.run(x, layer, "", h)]
            if len(self.ways) > 1:
                ways.append(self.run(x.flip(0), layer, "_reverse", h).flip(0))
            x = torch.cat(ways, 2)
        return x, None


class IndRNN(Alone):
    """Li et al. 2018."""

    def own(self, hidden):
        return (("u", 1, hidden),)

    def step(self, sums, h, end):
        return (sums + getattr(self, "u" + end) * h).relu()


class MinGRU(Alone):
    """Feng et al. 2024."""

    gates = 2

    def step(self, sums, h, end):
        z, n = sums.chunk(2, 1)
        return (1 - z.sigmoid()) * h + z.sigmoid() * n


class LRU(torch.nn.Module):
    """Orvieto et al. 2023, with a gate behind each layer; states as pairs (Re v, -Im v)."""

    def __init__(self, inputs, hidden, layers, bidirectional=False):
        super().__init__()
        self.hidden_size, self.layers, self.ways = hidden, layers, ["", "_reverse"][: 1 + bidirectional]
        for layer in range(layers):
            width = inputs if layer == 0 else hidden * len(self.ways)
            gate = torch.nn.Module()
            self.add_module(f"gate_l{layer}", gate)
            for way in self.ways:
                for name, *shape in (("nu", hidden), ("theta", hidden), ("gamma_log", hidden),
                                     ("B_re", hidden, width), ("B_im", hidden, width), ("C_re", hidden, hidden),
                                     ("C_im", hidden, hidden), ("D", hidden, width)):
                    self.register_parameter(f"{name}_l{layer}{way}", torch.nn.Parameter(torch.zeros(*shape)))
                gate.register_parameter("weight" + way, torch.nn.Parameter(torch.zeros(hidden, hidden)))
                gate.register_parameter("bias" + way, torch.nn.Parameter(torch.zeros(hidden)))

    def run(self, x, layer, way, v):
        """x [T, 1, I], or reversed; outputs [T, 1, H]."""
        own = {name: getattr(self, f"{name}_l{layer}{way}")
               for name in ("nu", "theta", "gamma_log", "B_re", "B_im", "C_re", "C_im", "D")}
        gate = getattr(self, f"gate_l{layer}")
        eigenvalue = torch.exp(torch.complex(-own["nu"].exp(), own["theta"].exp()))
        B, C = torch.complex(own["B_re"], own["B_im"]), torch.complex(own["C_re"], own["C_im"])
        steps = []
        for a in x.to(B.dtype) @ B.T:
            v = eigenvalue * v + own["gamma_log"].exp() * a
            steps.append(v)
        y = (torch.stack(steps) @ C.T).real + x @ own["D"].T
        return y * (y @ getattr(gate, "weight" + way).T + getattr(gate, "bias" + way)).sigmoid()

    def forward(self, x, start=None):
        zero = torch.zeros(1, self.hidden_size, dtype=x.dtype)
        for layer in range(self.layers):
            h, c = (zero, zero) if start is None else (start[0][layer], start[1][layer])
            v = torch.complex(h, -c)
            ways = [self.run(x, layer, "", v)]
            if len(self.ways) > 1:
                ways.append(self.run(x.flip(0), layer, "_reverse", v).flip(0))
            x = torch.cat(ways, 2)
        return x, None


CELLS = {
    "rnn": (torch.nn.RNN, {"nonlinearity": "tanh"}),
    "rnn-relu": (torch.nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (torch.nn.LSTM, {}),
    "gru": (torch.nn.GRU, {}),
    "indrnn": (IndRNN, {}),
    "mingru": (MinGRU, {}),
    "lru": (LRU, {}),
}


def seen_by(prefix, state):
    """The weights by which the first layer sees its inputs; of an lru those of one of two parts."""
    return state[prefix + (".B_re_l0" if prefix + ".B_re_l0" in state else ".weight_ih_l0")]


class Network(torch.nn.Module):
    """{ [embedding], rnn, head }: the module whose state dictionary /model is."""

    def __init__(self, cell, layers, directions, output, state):
        super().__init__()
        kind, options = CELLS[cell]
        hidden = self.count_units(state, "rnn", kind)
        inputs = seen_by("rnn", state).shape[1]
        if "embedding.weight" in state:
            self.embedding = torch.nn.Embedding(*state["embedding.weight"].shape)
        self.rnn = kind(inputs, hidden, layers, bidirectional=directions == 2, **options)
        self.head = torch.nn.Linear(directions * hidden, state["head.bias"].shape[0])
        self.inputs, self.hidden, self.output = inputs, hidden, output

    @staticmethod
    def count_units(state, prefix, kind):
        gates = {torch.nn.LSTM: 4, torch.nn.GRU: 3, torch.nn.RNN: 1, LRU: 1}.get(kind) or kind.gates
        return seen_by(prefix, state).shape[0] // gates

    def encode(self, x):
        if not x.is_floating_point():
            one_hot = torch.nn.functional.one_hot
            x = self.embedding(x) if hasattr(self, "embedding") else one_hot(x, self.inputs)
        return self.rnn(x.double().unsqueeze(1))[0].squeeze(1)

    def forward(self, x):
        y = self.encode(x)
        if self.output == "sequence":
            y = torch.cat([y[-1, : self.hidden], y[0, self.hidden :]]).unsqueeze(0)
        return self.head(y)


class Decoder(torch.nn.Module):
    """{ start, rnn, [embedding], [combine] }: what a state dictionary has as decoder."""

    def __init__(self, cell, state):
        super().__init__()
        kind, options = CELLS[cell]
        units = Network.count_units(state, "decoder.rnn", kind)
        inputs = seen_by("decoder.rnn", state).shape[1]
        layers = sum(name.startswith(("decoder.rnn.weight_ih", "decoder.rnn.B_re")) for name in state)
        self.rnn = kind(inputs, units, layers, **options)
        self.start = torch.nn.ModuleList(
            torch.nn.Linear(*reversed(state[f"decoder.start.{n}.weight"].shape)) for n in range(layers))
        if "decoder.embedding.weight" in state:
            self.embedding = torch.nn.Embedding(*state["decoder.embedding.weight"].shape)
        if "decoder.combine.weight" in state:
            self.combine = torch.nn.Linear(*reversed(state["decoder.combine.weight"].shape))


class Attention(torch.nn.Module):
    """{ key, [query, energy] }: a score of each frame at each symbol."""

    def __init__(self, state):
        super().__init__()
        def linear(name):
            shape = reversed(state[f"attention.{name}.weight"].shape)
            return torch.nn.Linear(*shape, bias=f"attention.{name}.bias" in state)
        self.key = linear("key")
        self.additive = "attention.energy.weight" in state
        if self.additive:
            self.query, self.energy = linear("query"), linear("energy")

    def forward(self, d, y):
        if not self.additive:
            return d @ self.key(y).T
        return self.energy((self.query(d).unsqueeze(1) + self.key(y).unsqueeze(0)).tanh()).squeeze(2)


class Translator(Network):
    """A network with a decoder between rnn and head; teacher forcing."""

    def __init__(self, cell, directions, state):
        super().__init__(cell, 2, directions, "decoder", state)
        self.decoder = Decoder(cell, state)
        self.head = torch.nn.Linear(*reversed(state["head.weight"].shape))
        if "attention.key.weight" in state:
            self.attention = Attention(state)

    def start_of(self, y):
        final = torch.cat([y[-1, : self.hidden], y[0, self.hidden :]])
        states = torch.stack([start(final).tanh() for start in self.decoder.start]).unsqueeze(1)
        units = self.decoder.rnn.hidden_size
        if states.shape[2] == units:
            return states
        return states[:, :, :units].contiguous(), states[:, :, units:].contiguous()

    def forward(self, x, targets):
        y = self.encode(x)
        if hasattr(self.decoder, "embedding"):
            begin = torch.tensor([self.decoder.embedding.num_embeddings - 1])
            fed = self.decoder.embedding(torch.cat([begin, targets.long()]))
        else:
            fed = torch.cat([torch.zeros(1, targets.shape[1]), targets[:-1]]).double()
        d = self.decoder.rnn(fed.unsqueeze(1), self.start_of(y))[0].squeeze(1)
        if hasattr(self, "attention"):
            seen = self.attention(d, y).softmax(1) @ y
            d = self.decoder.combine(torch.cat([d, seen], 1)).tanh()
        return self.head(d)


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


def value_losses_of(activations, targets, loss):
    """Of each target value, [rows, outputs]."""
    functional = torch.nn.functional
    if loss == "quantile":
        below = targets.unsqueeze(2) - activations.view(*targets.shape, -1)
        quantiles = torch.tensor(QUANTILES).double()
        return torch.maximum(quantiles * below, (quantiles - 1) * below).mean(2)
    if loss == "gaussian":
        mean, variance = activations[:, : targets.shape[1]], activations[:, targets.shape[1] :].exp()
        return functional.gaussian_nll_loss(mean, targets, variance, full=True, eps=1e-30, reduction="none")
    function = {"mse": functional.mse_loss, "mae": functional.l1_loss,
                "logcosh": lambda y, v, reduction: (y - v).cosh().log(),
                "huber": functools.partial(functional.huber_loss, delta=HUBER_DELTA),
                "sigmoid": functional.binary_cross_entropy_with_logits}[loss]
    return function(activations, targets, reduction="none")


def loss_of(activations, targets, loss, weights=1):
    functional = torch.nn.functional
    if loss == "softmax":
        losses = functional.cross_entropy(activations, targets.long(), reduction="none", ignore_index=-1)
        return (losses * weights).sum()
    there = targets == targets
    losses = value_losses_of(activations, targets.nan_to_num(0).double(), loss) * there
    return ((losses.sum(1) if loss == "sigmoid" else losses.mean(1)) * weights).sum()


def difference(got, want):
    got, want = torch.as_tensor(got).double(), want.detach().double()
    if got.shape != want.shape:
        return float("inf")
    return ((got - want).abs().max() / want.abs().max().clamp_min(1e-30)).item()


def run_dump(program, folder, case):
    """The checkpoint's tensors, and what the network made: inputs as a list of sequences, the rest as is."""
    dump_path, checkpoint_path = os.path.join(folder, "dump.h5"), os.path.join(folder, "checkpoint.h5")
    subprocess.run([program, *map(str, case), dump_path, checkpoint_path], check=True)
    with h5py.File(checkpoint_path, "r") as f:
        state = {k: torch.from_numpy(v[()]) for k, v in f["model"].items()}
    with h5py.File(dump_path, "r") as f:
        dump = {k: torch.from_numpy(v[()]) for k, v in f.items() if k != "gradient"}
        dump["gradient"] = {k: torch.from_numpy(v[()]) for k, v in f["gradient"].items()}
    sequences = dump["inputs"].long() if dump["inputs"].dtype == torch.int32 else dump["inputs"]
    dump["inputs"] = sequences.split(dump["input_offsets"].diff().tolist())
    return state, dump


def compare_gradients(network, total, gradient, found):
    """Adds to found; then names of what differs, each with how much, and the largest difference."""
    total.backward()
    parameters = dict(network.named_parameters())
    if set(parameters) != set(gradient):
        found["names"] = float("inf")
    for name, parameter in parameters.items():
        if name in gradient:
            found["gradient of " + name] = difference(gradient[name], parameter.grad)
    return {name: value for name, value in found.items() if not value <= TOLERANCE}, max(found.values())


def compare(dump_net, folder, case):
    cell, layers, directions, output, loss, *_ = case
    state, dump = run_dump(dump_net, folder, case)
    network = Network(cell, layers, directions, output, state)
    network.load_state_dict(state, strict=True)
    network.double()
    lengths = dump["input_offsets"].diff().tolist()
    activations = torch.cat([network(x) for x in dump["inputs"]])
    if output == "ctc":
        total = ctc_loss_of(activations, dump["targets"], lengths, dump["target_offsets"].diff().tolist())
    else:
        total = loss_of(activations, dump["targets"], loss, dump.get("target_weights", 1))
    found = {"outputs": difference(dump["outputs"], outputs_of(activations, loss)),
             "loss": difference(dump["loss"], total.reshape(1))}
    return compare_gradients(network, total, dump["gradient"], found)


def compare_decoder(dump_decoder, folder, case):
    cell, directions, _, loss, _, _ = case
    state, dump = run_dump(dump_decoder, folder, case)
    network = Translator(cell, directions, state)
    network.load_state_dict(state, strict=True)
    network.double()
    losses = []
    for x, targets in zip(dump["inputs"], dump["targets"].split(dump["target_offsets"].diff().tolist())):
        activations = network(x, targets)
        if loss == "softmax":
            targets = torch.cat([targets.long(), torch.tensor([activations.shape[1] - 1])])
        losses.append(loss_of(activations, targets, loss))
    found = {"losses": difference(dump["loss"], torch.stack(losses))}
    return compare_gradients(network, sum(losses), dump["gradient"], found)


def main():
    cases = list(product(CELLS, (1, 2), (1, 2), ("frame", "sequence"), ("softmax",), ("real",), ("all",)))
    cases += product(CELLS, (2,), (2,), ("frame",), ("sigmoid", "mse"), ("symbols", "embedding"), ("all",))
    cases += product(CELLS, (1,), (2,), ("sequence",), VALUE_LOSSES, ("real",), ("all",))
    cases += product(CELLS, (1, 2), (1, 2), ("ctc",), ("softmax",), ("real", "embedding"), ("all",))
    cases += product(("lstm",), (1,), (2,), ("frame", "sequence"), ("softmax", "sigmoid", "mse", *VALUE_LOSSES),
                     ("real",), ("holes", "weights"))
    cases = [(compare, sys.argv[1], case) for case in cases]
    translators = list(product(CELLS, (1, 2), ("none", "dot", "additive"), ("softmax",), ("embedding",), (1, 2)))
    translators += product(CELLS, (1, 2), ("dot", "additive"), ("mse", "sigmoid"), ("real",), (2,))
    cases += [(compare_decoder, sys.argv[2], case) for case in translators]
    failed, worst = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for function, program, case in cases:
            wrong, most = function(program, folder, case)
            worst = max(worst, most)
            for name, value in wrong.items():
                print(f"{' '.join(map(str, case))}: {name} differs by {value:.3g}")
            failed += bool(wrong)
    print(f"{len(cases)} networks, {failed} differ; largest difference {worst:.3g}, allowed {TOLERANCE:.3g}")
    sys.exit(1 if failed else 0)


main()
