"""The figures of step_times.c of PyTorch, on one core: python3 step_times.py [STEPS]."""

import statistics
import sys
import time

import torch

ROUNDS, FEATURES, CLASSES, FRAMES = 11, 64, 61, 200
steps = int(sys.argv[1]) if len(sys.argv) > 1 else 10000
torch.set_num_threads(1)
x = torch.rand(FRAMES, 1, 1, FEATURES) * 2 - 1
for hidden in (64, 256):
    rnn = torch.nn.LSTM(FEATURES, hidden, num_layers=2)
    head = torch.nn.Linear(hidden, CLASSES)
    state = None
    seconds = []
    with torch.inference_mode():
        for round in range(ROUNDS + 1):
            start = time.perf_counter()
            for i in range(steps):
                y, state = rnn(x[i % FRAMES], state)
                torch.softmax(head(y), -1)
            seconds.append(time.perf_counter() - start)
    microseconds = statistics.median(seconds[1:]) / steps * 1e6
    print(f"cell=lstm layers=2 hidden={hidden} microseconds_per_step={microseconds:.3f} (PyTorch {torch.__version__})")
