"""The room of the language model: prompts from templates, questions over the wire, raw answers."""
