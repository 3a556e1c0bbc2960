"""The output of the commands: printing, progress, hints, and the text of their answers."""
