"""The formats of C2SP: Merkle tree, signed notes, checkpoints, tiles."""
