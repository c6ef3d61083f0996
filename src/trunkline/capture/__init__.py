"""What passed on the wire: read, written, and drawn for a person."""
