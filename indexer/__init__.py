"""Knowledge files to an index that can be searched; knows neither Telegram nor a database."""

import os

# The library that runs the model would send what machine this is and how it is used to its makers, and keep a number
# for it in the user's cache. It looks once, when it is loaded: so here, before anything can load it.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
