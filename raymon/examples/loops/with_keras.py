"""`model.fit` of Keras on torch, watched: `python with_keras.py MODEL_DIR`."""

import os
import sys

os.environ["KERAS_BACKEND"] = "torch"

import keras
import numpy as np

from raymon.integrations.keras import MonitorCallback

draw = np.random.default_rng(0)
x = draw.standard_normal((20_000, 64)).astype("float32")
y = (draw.random(len(x)) < 1 / (1 + np.exp(3 - 8 * x.mean(1)))).astype("float32")

model = keras.Sequential([keras.layers.Input((64,)), keras.layers.Dense(1, "sigmoid")])
model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
callback = MonitorCallback(["auc"], model_dir=sys.argv[1])
model.fit(x, y, batch_size=100, epochs=2, verbose=0, validation_split=0.1, callbacks=[callback])
