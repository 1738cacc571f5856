# SPDX-License-Identifier: Apache-2.0
"""Reads with the real TensorBoard what write_events wrote: read_events.py FOLDER."""
import math
import sys

from tensorboard.backend.event_processing import event_accumulator, plugin_event_accumulator
from tensorboard.util import tensor_util

folder = sys.argv[1]

# As `tensorboard --logdir` reads: the resumed run's steps replace those the first start did past its last state.
run = plugin_event_accumulator.EventAccumulator(folder)
run.Reload()
tags = run.Tags()["tensors"]
assert sorted(tags) == ["loss/picture-text", "rate", "recipe"], tags
losses = run.Tensors("loss/picture-text")
assert [event.step for event in losses] == list(range(100)), [event.step for event in losses]
for event in losses:
    expected = 10 / (1 + event.step) + (100 if event.step < 50 else 0)
    value = float(tensor_util.make_ndarray(event.tensor_proto))
    assert math.isclose(value, expected, rel_tol=1e-6), (event.step, value, expected)
    assert event.wall_time == (1_700_000_000 if event.step < 50 else 1_700_001_000) + event.step
text = tensor_util.make_ndarray(run.Tensors("recipe")[0].tensor_proto).item().decode()
assert text == 'steps = 100\n\nname = "möwe"', text
assert run.SummaryMetadata("recipe").plugin_data.plugin_name == "text"

# The older reader sees plain scalars.
older = event_accumulator.EventAccumulator(folder)
older.Reload()
assert len(older.Scalars("rate")) == 100 and math.isclose(older.Scalars("rate")[-1].value, 99e-5, rel_tol=1e-6)
print("tensorboard reads 100 steps of 2 curves and 1 text, resumed at step 50")
