"""NATs hand over the flows that another one knows, when their table moves while both live."""
