"""The room of the online model: River in a worker process, so that it may hang or die alone."""
