"""One participant: registered data, history, deletion."""
